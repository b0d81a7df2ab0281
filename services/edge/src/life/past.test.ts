import { expect, it } from 'vitest';
import { SessionPast } from './past.js';

const alice = { uid: 'alice', sid: 's1' };

it('what has happened to a session is found by its key and by its id, newest first', () => {
  let nowMs = 0;
  const past = new SessionPast(() => {
    nowMs += 1;
    return nowMs;
  });
  past.told({ what: 'opened', ...alice });
  past.told({ what: 'opened', uid: 'bob', sid: 's2' });
  past.told({ what: 'detached', code: 1006, ...alice });
  past.moved(alice, 'e2', 'timedOut');
  past.moved(alice, 'e2', 'done');
  const expected = {
    session: 'alice.s1',
    events: [
      { at: 5, kind: 'moved', reason: 'to e2' },
      { at: 3, kind: 'detached', code: 1006 },
      { at: 1, kind: 'opened' },
    ],
    moves: [
      { at: 5, to: 'e2', outcome: 'done' },
      { at: 4, to: 'e2', outcome: 'timed-out' },
    ],
  };
  for (const reference of ['s1', 'alice.s1']) expect(past.of(reference)).toMatchObject(expected);
  expect(past.of('s9')).toBeUndefined();
});

it('of one session the last 20 events and 10 moves are shown, of all the last 20,000 kept', () => {
  const past = new SessionPast(() => 0);
  for (let n = 0; n < 30; n += 1) past.moved(alice, 'e2', 'done');
  expect(past.of('s1')).toMatchObject({ events: { length: 20 }, moves: { length: 10 } });
  for (let n = 0; n < 20_000; n += 1) past.told({ what: 'opened', uid: 'bob', sid: 's2' });
  expect(past.of('s1')).toMatchObject({ events: [], moves: { length: 10 } });
});
