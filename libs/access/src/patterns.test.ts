import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { covers, matches, overlaps } from './patterns.js';

const word = fc.constantFrom('a', 'b', 'c', 'ab', '42');
const name = fc.array(word, { minLength: 1, maxLength: 7 }).map((words) => words.join('.'));
const pattern = fc
  .array(fc.oneof(word, fc.constantFrom('*', '#')), { minLength: 1, maxLength: 7 })
  .map((words) => words.join('.'));

/** As the rule reads, without a thought to its cost. */
function naive([head, ...rest]: readonly string[], name: readonly string[]): boolean {
  if (head === undefined) return name.length === 0;
  if (head === '#') return naive(rest, name) || (name.length > 0 && naive([head, ...rest], name.slice(1)));
  return name.length > 0 && (head === '*' || head === name[0]) && naive(rest, name.slice(1));
}

describe('a pattern', () => {
  it.each([
    ['room.42', 'room.42', true],
    ['room.42.#', 'room.42', true],
    ['room.42.#', 'room.42.a.b', true],
    ['room.42.#', 'room.421', false],
    ['room.42.*', 'room.42', false],
    ['room.42.*', 'room.42.a', true],
    ['room.42.*', 'room.42.a.b', false],
    ['room.*', 'room.4.2', false],
    ['#', 'anything.at.all', true],
    ['*', 'room', true],
    ['*', 'room.42', false],
    ['#.end', 'end', true],
    ['#.a.#.b', 'a.x.a.b.b', true],
    ['ro*', 'room', false],
    ['room', 'ROOM', false],
  ])('%s, asked for %s: %s', (pattern, name, answer) => {
    expect(matches(pattern, name)).toBe(answer);
  });

  it('matches what the rule of AMQP says, and nothing else', () => {
    fc.assert(
      fc.property(pattern, name, (pattern, name) => {
        expect(matches(pattern, name)).toBe(naive(pattern.split('.'), name.split('.')));
      }),
      { numRuns: 5_000 },
    );
  });

  it('without # matches only names of as many words, each equal or under a *: never across words', () => {
    const plain = pattern.filter((pattern) => !pattern.includes('#'));
    fc.assert(
      fc.property(plain, name, (pattern, name) => {
        if (!matches(pattern, name)) return;
        const [ps, ns] = [pattern.split('.'), name.split('.')];
        expect(ps).toHaveLength(ns.length);
        for (const [i, p] of ps.entries()) expect(p === '*' || p === ns[i]).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('matches what it matched with any # in it taken out: # stands for no word too', () => {
    fc.assert(
      fc.property(pattern, name, (pattern, name) => {
        const rest = pattern.split('.').filter((word) => word !== '#');
        if (rest.length > 0 && matches(rest.join('.'), name)) expect(matches(pattern, name)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes no time that grows out of hand with its wildcards', () => {
    const wild = Array.from({ length: 50 }, () => '#.a').join('.');
    expect(matches(`${wild}.b`, Array.from({ length: 100 }, () => 'a').join('.'))).toBe(false);
  });
});

/** Every name of up to six words of these, which two patterns of four words with a `#` each may need; `x` stands for all that a pattern does not name. */
const names = (() => {
  const found: string[] = [];
  const grow = (name: string, left: number): void => {
    for (const next of ['a', 'b', 'x']) {
      const longer = name === '' ? next : `${name}.${next}`;
      found.push(longer);
      if (left > 1) grow(longer, left - 1);
    }
  };
  grow('', 6);
  return found;
})();
const small = fc
  .array(fc.constantFrom('a', 'b', '*', '#'), { minLength: 1, maxLength: 4 })
  .map((words) => words.join('.'));

describe('a pattern that is asked for', () => {
  it.each([
    ['room.42.#', 'room.42.#', true],
    ['room.42.#', 'room.42.*', true],
    ['room.42.#', 'room.*.#', false],
    ['room.*', 'room.*', true],
    ['room.*', 'room.#', false],
    ['room.#', 'room.*.typing', true],
    ['*.#', '#.a', true],
    ['*.#', '#', false],
    ['#', '#', true],
    ['#.a', '#.*.a', true],
    ['room.42', 'room.*', false],
  ])('is granted by %s, if it is %s: %s', (granted, asked, answer) => {
    expect(covers(granted, asked)).toBe(answer);
  });

  it('is granted by nothing that does not match all that it matches', () => {
    fc.assert(
      fc.property(small, small, (granted, asked) => {
        if (!covers(granted, asked)) return;
        for (const name of names) if (matches(asked, name)) expect(matches(granted, name), name).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is granted by whatever matches all that it matches, where no # stands between other words', () => {
    const plain = small.filter((granted) => !granted.replace(/(\.#)+$/, '').includes('#'));
    // What could be no word at all is asked for by more than names.
    const some = small.filter((asked) => /[^#.]/.test(asked));
    fc.assert(
      fc.property(plain, some, (granted, asked) => {
        const isWide = names.every((name) => !matches(asked, name) || matches(granted, name));
        expect(covers(granted, asked)).toBe(isWide);
      }),
      { numRuns: 1_000 },
    );
  });

  it('overlaps another one exactly if there is a name that both match', () => {
    fc.assert(
      fc.property(small, small, (one, other) => {
        expect(overlaps(one, other)).toBe(names.some((name) => matches(one, name) && matches(other, name)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is decided on in a time that does not grow out of hand with its wildcards', () => {
    const wild = Array.from({ length: 50 }, () => '#.a').join('.');
    expect(covers(`${wild}.b`, `${wild}.*`)).toBe(false);
    expect(overlaps(`${wild}.b`, `${wild}.b`)).toBe(true);
  });
});
