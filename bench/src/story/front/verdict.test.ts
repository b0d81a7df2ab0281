import { describe, expect, test } from 'vitest';
import { faultsOfNodes } from './verdict.js';
import type { NodeSeen } from './world.js';

const node = (name: string, sessions: number, more: Partial<NodeSeen> = {}): NodeSeen => ({
  node: name,
  sessions,
  pinned: 0,
  hashed: undefined,
  isDrained: false,
  ...more,
});

describe('behind a front that reaches a named edge', () => {
  test('sessions are level within one, and none is pinned', () => {
    expect(faultsOfNodes([node('a', 16), node('b', 15), node('c', 15)], 'named', 46)).toEqual([]);
    expect(faultsOfNodes([node('a', 17), node('b', 15), node('c', 14)], 'named', 46)).toHaveLength(1);
    expect(faultsOfNodes([node('a', 16, { pinned: 1 }), node('b', 15)], 'named', 31)).toHaveLength(1);
  });

  test('a drained node is empty, and does not count for the others', () => {
    const others = [node('b', 23), node('c', 23)];
    expect(faultsOfNodes([node('a', 0, { isDrained: true }), ...others], 'named', 46)).toEqual([]);
    expect(faultsOfNodes([node('a', 2, { isDrained: true }), ...others], 'named', 48)).toHaveLength(1);
  });

  test('everybody is there once', () => {
    expect(faultsOfNodes([node('a', 16), node('b', 16)], 'named', 46)).toEqual(['32 sessions, not 46']);
  });
});

describe('behind a front that pins', () => {
  test('a node with too many has only pinned ones, as many as the hash keeps there', () => {
    const others = [node('b', 13, { hashed: 9 }), node('c', 13, { hashed: 13 })];
    expect(faultsOfNodes([node('a', 20, { pinned: 20, hashed: 20 }), ...others], 'hashed', 46)).toEqual([]);
    expect(faultsOfNodes([node('a', 20, { pinned: 19, hashed: 20 }), ...others], 'hashed', 46)).toHaveLength(
      2,
    );
    expect(faultsOfNodes([node('a', 20, { pinned: 20, hashed: 19 }), ...others], 'hashed', 46)).toHaveLength(
      1,
    );
  });

  test('a level node may have fewer pinned ones than the hash keeps there, never more', () => {
    expect(
      faultsOfNodes([node('a', 23, { pinned: 4, hashed: 9 }), node('b', 23, { hashed: 23 })], 'hashed', 46),
    ).toEqual([]);
    expect(
      faultsOfNodes([node('a', 23, { pinned: 9, hashed: 4 }), node('b', 23, { hashed: 23 })], 'hashed', 46),
    ).toHaveLength(1);
  });

  test('a drained node keeps those alone whom the hash brings back', () => {
    const rest = node('b', 40, { hashed: 40 });
    const drained = { isDrained: true };
    expect(faultsOfNodes([node('a', 6, { ...drained, pinned: 6, hashed: 6 }), rest], 'hashed', 46)).toEqual(
      [],
    );
    expect(
      faultsOfNodes([node('a', 6, { ...drained, pinned: 5, hashed: 5 }), rest], 'hashed', 46),
    ).toHaveLength(1);
  });
});

test('behind a front that chooses anew each time, every node has its part, but while one is drained', () => {
  const nodes = [node('a', 3, { pinned: 3, isDrained: true }), node('b', 24), node('c', 19)];
  expect(faultsOfNodes(nodes, 'any', 46)).toEqual([]);
  expect(faultsOfNodes([node('a', 16), node('b', 17), node('c', 13)], 'any', 46)).toEqual([]);
  expect(faultsOfNodes([node('a', 18), node('b', 18), node('c', 10)], 'any', 46)).toHaveLength(2);
});
