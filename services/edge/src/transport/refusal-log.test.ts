import { beforeEach, expect, it } from 'vitest';
import { RefusalLog } from './refusal-log.js';

let lines: [level: string, fields: object, message: string][];
let nowMs: number;
let refusals: RefusalLog;

beforeEach(() => {
  lines = [];
  nowMs = 0;
  const to = (level: string) => (fields: object, message: string) =>
    void lines.push([level, fields, message]);
  refusals = new RefusalLog({ info: to('info'), warn: to('warn') } as never, () => nowMs);
});

it('says each reason once in ten seconds, and how many were left out since', () => {
  for (let n = 0; n < 100; n += 1) refusals.refused('ticket-expired');
  refusals.refused('draining');
  expect(lines.map(([, fields]) => fields)).toEqual([
    { reason: 'ticket-expired', suppressed: 0 },
    { reason: 'draining', suppressed: 0 },
  ]);
  nowMs = 10_000;
  refusals.refused('ticket-expired');
  expect(lines.at(-1)?.[1]).toEqual({ reason: 'ticket-expired', suppressed: 99 });
});

it('warns of forged tickets, and says which setting to look at', () => {
  refusals.refused('ticket-forged');
  expect(lines).toMatchObject([['warn', {}, expect.stringContaining('EVENKEEL_SECRET')]]);
});

it('says whose connection was closed for a limit or a fault, and nothing of those that end in everyday use', () => {
  for (const code of [1000, 1006, 4000, 4001, 4501]) refusals.closed({ uid: 'alice', sid: 's1' }, code);
  expect(lines).toEqual([]);
  refusals.closed({ uid: 'alice', sid: 's1' }, 4004);
  const fields = { session: 's1', user: 'alice', code: 4004, reason: 'ack-timeout', suppressed: 0 };
  expect(lines).toEqual([['info', fields, 'connection closed']]);
});
