import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Dots, send, step } from './dots.js';

const placesOf = (counts: readonly number[]) => new Map(counts.map((n, i) => [`edge-${i}`, n]));

it('each node has the dots it shall have, and as few as possible change their node', () => {
  const counts = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(counts, counts, (before, after) => {
      const dots = new Dots();
      dots.place(placesOf(before));
      const was = new Map([...placesOf(before).keys()].map((node) => [node, new Set(dots.of(node))]));
      dots.place(placesOf(after));
      after.forEach((n, i) => {
        const now = dots.of(`edge-${i}`);
        expect(now).toHaveLength(n);
        const stayed = now.filter((dot) => was.get(`edge-${i}`)?.has(dot)).length;
        expect(stayed).toBe(Math.min(n, before[i] ?? 0));
      });
      expect(new Set(dots.all).size).toBe(dots.all.length);
    }),
  );
});

it('a dot that leaves one node is the one that another gains', () => {
  const dots = new Dots();
  dots.place(placesOf([3, 0]));
  const all = new Set(dots.all);
  dots.place(placesOf([1, 2]));
  expect(new Set(dots.all)).toEqual(all);
});

it('the dots of a node that has left go to those that gain', () => {
  const dots = new Dots();
  dots.place(placesOf([2, 2]));
  const all = new Set(dots.all);
  dots.place(new Map([['edge-1', 4]]));
  expect(new Set(dots.of('edge-1'))).toEqual(all);
});

it('a dot arrives, and rests there', () => {
  const dots = new Dots();
  dots.place(placesOf([1]));
  const [dot] = dots.all;
  if (dot === undefined) throw new Error('no dot');
  send(dot, 10, 100, { now: 0, random: () => 0.5, isStill: false });
  expect(step(dot, 100, 5)).toBe(true);
  expect(step(dot, 5_000, 5)).toBe(false);
  expect(dot).toMatchObject({ x: 10, y: 100, way: undefined });
});

it('where nothing shall move, a dot is at its place at once', () => {
  const dots = new Dots();
  dots.place(placesOf([1]));
  const [dot] = dots.all;
  if (dot === undefined) throw new Error('no dot');
  send(dot, 10, 100, { now: 0, random: () => 0.5, isStill: true });
  expect(dot).toMatchObject({ x: 10, y: 100, way: undefined });
});
