import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type BarNode, fractionOf, fullOf, layOut, levelOf, nodeAt } from './layout.js';

const nodesOf = (counts: readonly number[], more: Partial<BarNode> = {}): BarNode[] =>
  counts.map((sessions, i) => ({ node: `edge-${i + 1}`, sessions, state: 'active', ...more }));

const someNodes = fc
  .array(fc.integer({ min: 0, max: 2_000_000 }), { minLength: 1, maxLength: 1_200 })
  .map((counts) => nodesOf(counts));

it('every node has a box inside of the picture, and no two overlap, however many there are and however narrow it is', () => {
  fc.assert(
    fc.property(someNodes, fc.integer({ min: 280, max: 1_600 }), (nodes, width) => {
      const { boxes, height, mode } = layOut(nodes, width, fullOf(nodes, 0));
      expect(boxes).toHaveLength(nodes.length);
      const seen = new Set<string>();
      for (const { x, y, width: wide, height: high } of boxes) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x + wide).toBeLessThanOrEqual(width + 0.001);
        expect(y + high).toBeLessThanOrEqual(height);
        expect(seen.has(`${x} ${y}`)).toBe(false);
        seen.add(`${x} ${y}`);
      }
      if (mode === 'wall') expect(boxes[0]?.width).toBeGreaterThanOrEqual(5);
    }),
    { numRuns: 60 },
  );
});

it('a full tank holds at least as many as the fullest node has, in dots that are few enough to move', () => {
  const counts = fc.array(fc.integer({ min: 0, max: 3_000_000 }), { minLength: 1, maxLength: 16 });
  fc.assert(
    fc.property(counts, (all) => {
      const nodes = nodesOf(all);
      const { full, perDot, mode } = layOut(nodes, 1_100, fullOf(nodes, 0));
      expect(mode).toBe('tanks');
      expect(full).toBeGreaterThanOrEqual(Math.max(...all));
      expect(all.reduce((sum, n) => sum + n, 0) / perDot).toBeLessThanOrEqual(800);
    }),
    { numRuns: 100 },
  );
});

it('the scale stays while the fullest node fits and is not dwarfed by it', () => {
  const full = fullOf(nodesOf([100, 40]), 0);
  expect(fullOf(nodesOf([90, 50]), full)).toBe(full);
  expect(fullOf(nodesOf([full + 1, 0]), full)).toBeGreaterThan(full);
  expect(fullOf(nodesOf([20, 20]), full)).toBeLessThan(full);
});

it('what a plan would leave fits on the scale too', () => {
  expect(fullOf(nodesOf([10, 10], { after: 500 }), 0)).toBeGreaterThan(500);
});

it('there is a level only where two or more nodes of one weight take sessions', () => {
  expect(levelOf(nodesOf([10, 20]))).toBe(15);
  expect(levelOf(nodesOf([10]))).toBeUndefined();
  expect(levelOf([...nodesOf([10, 20]), { node: 'x', sessions: 30, state: 'cordoned' }])).toBe(30);
  expect(
    levelOf([...nodesOf([10]), { node: 'x', sessions: 30, state: 'active', weight: 3 }]),
  ).toBeUndefined();
});

it('against capacity a bar is full when its own node is', () => {
  const [node] = nodesOf([50], { capacity: 200 });
  if (node === undefined) throw new Error('no node');
  expect(fractionOf(50, node, 'capacity', 1_000)).toBe(0.25);
  expect(fractionOf(50, node, 'fit', 100)).toBe(0.5);
  expect(fractionOf(500, node, 'capacity', 1_000)).toBe(1);
});

it('a point in a box is its node, and beside all boxes none', () => {
  const nodes = nodesOf(Array.from({ length: 300 }, () => 7));
  const layout = layOut(nodes, 900, 12);
  layout.boxes.forEach(({ x, y, width, height }, i) => {
    expect(nodeAt(layout, x + width / 2, y + height / 2)).toBe(i);
  });
  expect(nodeAt(layout, 5, layout.height + 50)).toBeUndefined();
});
