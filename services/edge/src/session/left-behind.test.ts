import { expect, it } from 'vitest';
import { LeftBehind } from './left-behind.js';

const position = { connection: 'a.1', seq: 3, count: 2 };

it('what was written to a lost connection is remembered as long as its session lives', () => {
  let nowMs = 1_000;
  const left = new LeftBehind(300_000, { doubts: 0 }, () => nowMs);
  left.note('u.s', { position, isLasting: true, suspect: 2 });
  nowMs += 299_999;
  expect(left.take('u.s')).toEqual({ position, suspect: 2 });
  left.note('u.s', { position, isLasting: true, suspect: 2 });
  nowMs += 300_000;
  expect(left.take('u.s')).toBeUndefined();
});

it('the last connection counts, also one of which nothing is certain', () => {
  const left = new LeftBehind(300_000, { doubts: 0 }, () => 0);
  left.note('u.s', { position, isLasting: true, suspect: 2 });
  left.note('u.s', { position: { ...position, connection: 'a.2' }, isLasting: true, suspect: undefined });
  expect(left.take('u.s')).toEqual({ position: { ...position, connection: 'a.2' }, suspect: undefined });
  left.note('u.s', { position, isLasting: false, suspect: 2 });
  expect(left.take('u.s')).toBeUndefined();
});

it('beyond its limit the oldest is forgotten', () => {
  const left = new LeftBehind(300_000, { doubts: 0 }, () => 0, 2);
  for (const key of ['u.1', 'u.2', 'u.3']) left.note(key, { position, isLasting: true, suspect: 0 });
  expect(['u.1', 'u.2', 'u.3'].map((key) => left.take(key) !== undefined)).toEqual([false, true, true]);
});

it('it is told once: who comes later may find another queue', () => {
  const left = new LeftBehind(300_000, { doubts: 0 }, () => 0);
  left.note('u.s', { position, isLasting: true, suspect: 2 });
  expect(left.take('u.s')).toEqual({ position, suspect: 2 });
  expect(left.take('u.s')).toBeUndefined();
});

it('the number of its queue is remembered also where nothing else is certain', () => {
  const left = new LeftBehind(300_000, { doubts: 0 }, () => 0);
  left.note('u.s', { position, isLasting: false, suspect: 2, generation: 3 });
  expect(left.take('u.s')).toEqual({ suspect: undefined, generation: 3 });
});

it('where the seal is that is behind what came back is remembered', () => {
  const left = new LeftBehind(300_000, { doubts: 0 }, () => 0);
  const seal = { name: 'x', behind: 2 };
  left.note('u.s', { position, isLasting: true, suspect: 2, seal });
  expect(left.take('u.s')).toEqual({ position, suspect: 2, seal });
  left.note('u.s', { position, isLasting: true, suspect: 2, seal });
  left.passedOn('u.s');
  expect(left.take('u.s')).toEqual({ position, suspect: 2 });
  left.note('u.s', { position, isLasting: true, suspect: 2, seal: { name: 'x', behind: 0 } });
  expect(left.take('u.s')).toEqual({ position, suspect: 2 });
});

it('which edge has the seal that is still to come is told, and that nothing was dropped meanwhile', () => {
  const left = new LeftBehind(300_000, { doubts: 0 }, () => 0);
  left.note('u.s', { position: undefined, isLasting: false, seal: { name: 'x', behind: 0, at: 'edge-1' } });
  left.dropped('u.other', 'overflow');
  expect(left.take('u.s')).toEqual({
    seal: { name: 'x', behind: 0, at: 'edge-1', isWatched: true },
    suspect: undefined,
  });
});

it('what was dropped while the seal was still to come is for who comes next to tell, but not of an earlier queue', () => {
  const left = new LeftBehind(300_000, { doubts: 0 }, () => 0);
  const seal = { name: 'x', behind: 0, at: 'edge-1' };
  left.note('u.s', { position, isLasting: true, suspect: 2, generation: 2, seal });
  left.dropped('u.s', 'expired', 1);
  expect(left.of('u.s')).toMatchObject({ seal });
  left.dropped('u.s', 'expired', 2);
  expect(left.take('u.s')).toEqual({ position, suspect: 2, generation: 2, owed: 'expired' });
  left.note('u.s', { position, isLasting: true, suspect: 2, seal: { name: 'x', behind: 2 } });
  left.dropped('u.s', 'overflow');
  expect(left.take('u.s')).toEqual({ position, suspect: 2, seal: { name: 'x', behind: 2 } });
});

it('so is what may have been dropped without word of it', () => {
  const drops = { doubts: 0 };
  const left = new LeftBehind(300_000, drops, () => 0);
  left.note('u.s', { position: undefined, isLasting: false, seal: { name: 'x', behind: 0, at: 'edge-1' } });
  drops.doubts = 1;
  expect(left.take('u.s')).toEqual({ suspect: undefined, owed: 'broker-lost' });
});

it('who is about to have the session leaves it there until it has', () => {
  let nowMs = 0;
  const left = new LeftBehind(300_000, { doubts: 0 }, () => nowMs);
  left.note('u.s', { position, isLasting: true, suspect: 2 });
  expect([left.of('u.s'), left.of('u.s')]).toEqual([
    { position, suspect: 2 },
    { position, suspect: 2 },
  ]);
  nowMs = 300_000;
  expect(left.of('u.s')).toBeUndefined();
});

it('a gap that nobody was told is remembered, unless who has asked for the session has heard of it', () => {
  const left = new LeftBehind(300_000, { doubts: 0 }, () => 0);
  const seal = { name: 'x', behind: 4, reason: 'overflow' } as const;
  const untold = { position: undefined, isLasting: false, suspect: 2, owed: 'overflow', seal } as const;
  left.note('u.s', untold);
  expect(left.take('u.s')).toEqual({ suspect: undefined, owed: 'overflow', seal });
  left.note('u.s', untold);
  left.passedOn('u.s');
  expect(left.take('u.s')).toEqual({ suspect: undefined });
});
