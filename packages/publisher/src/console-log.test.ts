import { expect, it, onTestFinished, vi } from 'vitest';
import { consoleLog } from './console-log.js';

it('prints warnings and errors with what they are about, each kind once a minute, and counts the rest', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const printed: string[] = [];
  const log = consoleLog('shop', (text) => printed.push(text));
  for (let n = 0; n < 100; n++) log.error({ queue: 'q', error: `Error: ${n}` }, 'handler failed');
  log.error({ queue: 'other', error: 'Error: x' }, 'handler failed');
  log.warn({ queue: 'q' }, 'handler slow');
  log.info({}, 'connected');
  log.debug({}, 'detail');
  expect(printed).toEqual([
    'evenkeel, service "shop": handler failed\n  queue: q\n  error: Error: 0',
    'evenkeel, service "shop": handler failed\n  queue: other\n  error: Error: x',
    'evenkeel, service "shop": handler slow\n  queue: q',
  ]);
  vi.advanceTimersByTime(60_000);
  log.error({ queue: 'q', error: 'Error: 100' }, 'handler failed');
  expect(printed[3]).toContain('handler failed (and 99 more like it since)');
});
