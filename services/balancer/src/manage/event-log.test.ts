import { expect, it } from 'vitest';
import { EventLog } from './event-log.js';

const fill = (log: EventLog, n: number) => {
  for (let i = 1; i <= n; i += 1) log.add({ kind: 'node', text: `${i}` });
};
const texts = ({ events }: ReturnType<EventLog['after']>) => events.map(({ text }) => text);

it('whoever asks for what comes after the last gets each once, in order', () => {
  const log = new EventLog(() => 1);
  log.begin('t');
  expect(log.after(undefined)).toEqual({ events: [], last: undefined });
  fill(log, 5);
  const first = log.after(undefined, 2);
  expect([texts(first), first.last]).toEqual([['4', '5'], 't-5']);
  expect(log.after(first.last)).toEqual({ events: [], last: 't-5' });
  log.add({ kind: 'node', text: '6' });
  log.add({ kind: 'node', text: '7' });
  expect(texts(log.after('t-5', 1))).toEqual(['6']);
  expect(texts(log.after('t-6'))).toEqual(['7']);
});

it('keeps the last thousand, and of an id that it does not know any more gives all', () => {
  const log = new EventLog(() => 1);
  log.begin('t');
  fill(log, 1_001);
  expect(texts(log.after('t-1'))).toHaveLength(1_000);
  expect(texts(log.after('t-1'))[0]).toBe('2');
});

it('ids of another term are not known', () => {
  const log = new EventLog(() => 1);
  log.begin('a');
  fill(log, 3);
  log.begin('b');
  fill(log, 2);
  expect(log.after('a-2').events.map(({ id }) => id)).toEqual(['b-1', 'b-2']);
});

it('keeps the beginning of what is said at length', () => {
  const log = new EventLog(() => 1);
  log.add({ kind: 'command', text: `cordon e1: refused, ${'e1, '.repeat(10_000)}` });
  const [text = ''] = texts(log.after(undefined));
  expect([text.length, text.startsWith('cordon e1: refused'), text.endsWith('…')]).toEqual([501, true, true]);
});
