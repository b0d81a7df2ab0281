import { describe, expect, it } from 'vitest';
import { Cells, CellsError, cellsOf } from './cells.js';

const at = (name: string) => `amqp://app:secret@${name}`;
const map = (weights: Record<string, object>, users?: object) =>
  Cells.read(
    JSON.stringify({
      cells: Object.fromEntries(
        Object.entries(weights).map(([name, more]) => [name, { amqpUrl: at(name), ...more }]),
      ),
      ...(users && { users }),
    }),
  );
const users = Array.from({ length: 20_000 }, (_, n) => `user-${n}`);
const homes = (cells: Cells) => users.map((user) => cells.homeOf(user));
const countOf = (cell: string, all: readonly string[]) => all.filter((home) => home === cell).length;

describe('which user is in which cell', () => {
  it('users spread by weight', () => {
    const all = homes(map({ north: {}, south: {}, west: { weight: 2 } }));
    for (const [cell, share] of [
      ['north', 0.25],
      ['south', 0.25],
      ['west', 0.5],
    ] as const)
      expect(countOf(cell, all) / users.length).toBeCloseTo(share, 1);
  });

  it('a cell that comes takes from each of the others, and nobody else changes', () => {
    const before = homes(map({ north: {}, south: {} }));
    const after = homes(map({ north: {}, south: {}, west: {} }));
    const changed = users.filter((_, n) => before[n] !== after[n]);
    expect(changed.length / users.length).toBeCloseTo(1 / 3, 1);
    expect(users.filter((_, n) => before[n] !== after[n] && after[n] !== 'west')).toEqual([]);
    expect(before.filter((home, n) => home === 'north' && after[n] === 'west').length).toBeGreaterThan(2_000);
  });

  it('while a weight changes, those whose cell it changes are in two, the new one first', () => {
    const before = map({ north: {}, south: {}, west: {} });
    const during = map({ north: {}, south: {}, west: { weight: 0, was: 1 } });
    for (const user of users) {
      const old = before.homeOf(user);
      const home = during.homeOf(user);
      expect(home).not.toBe('west');
      expect(during.of(user)).toEqual(old === 'west' ? [home, 'west'] : [old]);
    }
    expect(map({ north: {}, south: {} }).of('user-1')).toHaveLength(1);
  });

  it('a user may be given a cell, and be in two until the map no longer says so', () => {
    const cells = map(
      { north: {}, south: { weight: 0 } },
      { alice: 'south', 'bøb 😀': { cell: 'south', was: 'north' } },
    );
    expect(cells.of('alice')).toEqual(['south']);
    expect(cells.of('bøb 😀')).toEqual(['south', 'north']);
    expect(cells.of('carol')).toEqual(['north']);
  });

  it('is the same in every version and language: these are in packages/python too', () => {
    const cells = map({ north: {}, south: {}, west: { weight: 2.5 }, east: { weight: 0.5, was: 3 } });
    const found = ['alice', 'bob', 'zoë@example.com', '用户 7', '😀', ''].map((user) =>
      cells.of(user).join(),
    );
    expect(found).toMatchInlineSnapshot(`
      [
        "west,east",
        "north",
        "north",
        "west,east",
        "south,east",
        "west",
      ]
    `);
  });
});

describe('a map that cannot be used', () => {
  it.each([
    ['{', 'no JSON'],
    ['[]', 'the map takes an object'],
    ['{"cells": {}}', 'no cell has a weight above 0'],
    ['{"cells": {"a": {"amqpUrl": "http://x"}}}', 'amqpUrl of cell a'],
    ['{"cells": {"a b": {"amqpUrl": "amqp://x"}}}', 'names no cell'],
    ['{"cells": {"a": {"amqpUrl": "amqp://x", "weight": -1}}}', 'weight and was of cell a'],
    ['{"cells": {"a": {"amqpUrl": "amqp://x", "weight": 0}}}', 'no cell has a weight'],
    ['{"cells": {"a": {"amqpUrl": "amqp://x", "weigth": 1}}}', 'weigth'],
    ['{"cells": {"a": {"amqpUrl": "amqp://x"}}, "users": {"u": "b"}}', 'user u is in a cell'],
  ])('%s', (text, why) => {
    expect(() => Cells.read(text)).toThrow(CellsError);
    expect(() => Cells.read(text)).toThrow(why);
  });

  it('never shows a password, and says which file it is about', () => {
    const wrong = '{"cells": {"a": {"amqpUrl": "http://app:s3cret@x"}}}';
    expect(() => Cells.read(wrong)).not.toThrow(/s3cret/);
    const read = () => {
      throw new Error('cannot read the file: ENOENT');
    };
    expect(() => cellsOf('/etc/cells.json', read)).toThrow('ENOENT');
    expect(cellsOf('x', () => '{"cells": {"a": {"amqpUrl": "amqp://x"}}}').all).toHaveLength(1);
  });
});
