import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches } from './patterns.js';

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

  it('that is asked about grants no more than it covers: what the asked one matches, it matches', () => {
    fc.assert(
      fc.property(pattern, pattern, name, (granted, asked, name) => {
        if (matches(granted, asked) && matches(asked, name)) expect(matches(granted, name)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it('takes no time that grows out of hand with its wildcards', () => {
    const wild = Array.from({ length: 50 }, () => '#.a').join('.');
    expect(matches(`${wild}.b`, Array.from({ length: 100 }, () => 'a').join('.'))).toBe(false);
  });
});
