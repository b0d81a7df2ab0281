import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { PresenceWorld } from '../../../testing/presence-world.js';
import { runs } from '../../../testing/runs.js';

const users = ['ann', 'bob', 'cid'];
const topics = ['room.1', 'room.2'];
/** Longer than the grace, than the silence of the dead, and than it takes to ask again for what is missing. */
const quietMs = 20_000;

const place = fc.record({
  at: fc.nat(2),
  topic: fc.constantFrom(...topics),
  user: fc.constantFrom(...users),
  sid: fc.constantFrom('a', 'b'),
});
const step = fc.oneof(
  place.map((where) => ({ do: 'enter' as const, ...where })),
  place.map((where) => ({ do: 'left' as const, ...where })),
  place.map((where) => ({ do: 'lost' as const, ...where })),
  fc.nat(2).map((at) => ({ do: 'crash' as const, at })),
  fc.integer({ min: 50, max: 6_000 }).map((ms) => ({ do: 'wait' as const, ms })),
);
const network = fc.record({ seed: fc.integer(), lossy: fc.constantFrom(0, 0.1, 0.3) });

/** A sequence of its own: what the network loses is part of what shrinks. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

it('shows on every edge who is there in the end, over joins, leaves, moves, crashes, lost and doubled deltas', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), network, (steps, { seed, lossy }) => {
      const world = new PresenceWorld(3, randomOf(seed), lossy);
      for (const now of steps) {
        if (now.do === 'wait') world.run(now.ms);
        else if (now.do === 'crash') world.crash(now.at);
        else if (now.do === 'enter') world.enter(now.at, now.topic, now.user, now.sid);
        else world.leave(`${now.topic} ${now.user}.${now.sid}`, now.do);
      }
      world.run(quietMs);
      const truth = [...world.places.keys()].sort();
      for (const { roster, members } of world.edges) {
        for (const topic of topics) {
          const there = truth.filter((key) => key.startsWith(`${topic} `));
          const expected = new Map<string, number>();
          for (const key of there) {
            const [, uid = ''] = /^\S+ (\w+)\./.exec(key) ?? [];
            expected.set(uid, (expected.get(uid) ?? 0) + 1);
          }
          const shown = new Map([...roster.of(topic)].map(({ uid, sessions }) => [uid, sessions]));
          expect(shown).toEqual(expected);
          expect(roster.count(topic)).toBe(expected.size);
        }
        expect(members.leaving).toBe(0);
      }
    }),
    { numRuns: runs },
  );
});

it('shows nobody leaving who only moves, or comes back within the grace, also where deltas are lost', () => {
  const going = fc.record({
    how: fc.constantFrom('move', 'reload'),
    at: fc.nat(2),
    user: fc.constantFrom(...users),
    waitMs: fc.integer({ min: 0, max: 1_500 }),
    awayMs: fc.integer({ min: 0, max: 700 }),
  });
  fc.assert(
    fc.property(fc.array(going, { maxLength: 30 }), network, (all, { seed, lossy }) => {
      const world = new PresenceWorld(3, randomOf(seed), lossy);
      for (const user of users) world.enter(0, 'room.1', user, 'a');
      world.run(5_000);
      const before = world.seen.length;
      for (const { how, at, user, waitMs, awayMs } of all) {
        if (how === 'reload') {
          world.leave(`room.1 ${user}.a`, 'lost');
          world.run(awayMs);
        }
        world.enter(at, 'room.1', user, 'a');
        world.run(waitMs);
      }
      world.run(quietMs);
      expect(world.seen.slice(before)).toEqual([]);
      for (const { roster } of world.edges) expect(roster.count('room.1')).toBe(users.length);
    }),
    { numRuns: runs },
  );
});

it('keeps since when a session is there, over moves', () => {
  const world = new PresenceWorld(3, () => 1, 0);
  world.run(1_000);
  const since = world.nowMs;
  world.enter(0, 'room.1', 'ann', 'a');
  world.run(3_000);
  for (const at of [1, 2, 0]) {
    world.enter(at, 'room.1', 'ann', 'a');
    world.run(4_000);
  }
  for (const { roster } of world.edges) expect(roster.user('room.1', 'ann')?.since).toBe(since);
});

it('a session that is lost right after its move leaves with the grace of its new edge', () => {
  const world = new PresenceWorld(3, () => 1, 0);
  world.enter(0, 'room.1', 'ann', 'a');
  world.run(3_000);
  const [from, to] = world.edges;
  const old = world.places.get('room.1 ann.a');
  const moved = to?.members.enter('room.1', { uid: 'ann', sid: 'a' }, undefined);
  world.run(1_000);
  // The old edge hears of the end of its connection last: its own grace ends after that of the new one.
  moved?.leave('lost');
  world.run(100);
  old?.place.leave('moved');
  world.run(2_200);
  for (const { roster } of world.edges) expect(roster.count('room.1')).toBe(0);
  expect(from?.members.size).toBe(0);
});
