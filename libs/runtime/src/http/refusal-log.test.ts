import { expect, it } from 'vitest';
import { RefusalLog } from './refusal-log.js';

function make() {
  const exceptions = { saidElsewhere: new Set(['no-edge-none']), expected: new Set(['no-edge-wait']) };
  const lines: object[] = [];
  const at = (level: string) => (fields: object, text: string) => void lines.push({ level, text, ...fields });
  return { lines, log: new RefusalLog({ info: at('info'), warn: at('warn') }, exceptions) };
}

it('each reason is logged once every ten seconds, with whom it met last and how many were left out', () => {
  const { lines, log } = make();
  for (const atMs of [0, 1, 9_999, 10_000])
    log.tell({ reason: 'bad-credentials', status: 401, address: '192.0.2.1', user: `u${atMs}` }, atMs);
  log.tell({ reason: 'keys-unavailable', status: 503, session: 's1' }, 10_000);
  expect(lines).toEqual([
    {
      level: 'info',
      text: 'refused',
      reason: 'bad-credentials',
      status: 401,
      address: '192.0.2.1',
      user: 'u0',
      suppressed: 0,
    },
    expect.objectContaining({ user: 'u10000', suppressed: 2 }),
    { level: 'warn', text: 'refused', reason: 'keys-unavailable', status: 503, session: 's1', suppressed: 0 },
  ]);
});

it('what the log says elsewhere is not said twice, and what is not there is no refusal', () => {
  const { lines, log } = make();
  log.tell({ reason: 'no-edge-none', status: 503 }, 0);
  log.tell({ reason: 'not-found', status: 404 }, 0);
  expect(lines).toEqual([]);
  log.tell({ reason: 'no-edge-wait', status: 503 }, 0);
  expect(lines).toMatchObject([{ level: 'info', reason: 'no-edge-wait' }]);
});
