import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../testing/runs.js';
import { merge } from './merge.js';

const memory = 512;
const ids = (text: string) => [...text].map((letter) => `~${letter}`);
/** What is handed on of `fresh`. */
const rest = (tail: string, fresh: string, marked: number | undefined) =>
  [...fresh].filter((_, n) => !merge(ids(tail), ids(fresh), marked, memory).isRepeat[n]).join('');

describe('messages without ids, of which a mark tells how many the old socket has brought', () => {
  it.each([
    ['what recurs is new behind the mark, however often', 'abab', 'abab|abab', 'abab'],
    ['nothing but one content: the mark alone tells', 'aaaa', 'aa|aaa', 'aaa'],
    ['the new socket began inside what the old one brought', 'abcd', 'cd|ef', 'ef'],
    ['the new socket brought nothing before', 'abab', '|ab', 'ab'],
    ['a message came before the mark at one edge, and behind it at the other', 'wxm', 'x|mn', 'n'],
    ['the other way round', 'wx', 'xm|n', 'mn'],
    ['two publishers were taken in another order', 'wxy', 'yx|z', 'z'],
    ['the old socket brought none of it', '', 'ab|c', 'abc'],
  ])('%s', (_what, tail, fresh, expected) => {
    expect(rest(tail, fresh.replace('|', ''), fresh.indexOf('|'))).toBe(expected);
  });

  it('are not remembered afterwards, but those with ids of publishers are', () => {
    const { seen } = merge(['~a', 'x', 'y', '~b'], ['x'], 1, memory);
    expect([...seen.keys()]).toEqual(['y']);
  });

  it('are told apart also where the new socket lags behind by more than is remembered', () => {
    const tail = Array.from({ length: 4 }, (_, n) => `~${n % 2}`);
    const fresh = Array.from({ length: 20 }, (_, n) => `~${n % 2}`);
    expect(merge(tail, fresh, 10, 4).isRepeat.filter((isRepeat) => isRepeat)).toHaveLength(10);
  });
});

describe('without a mark', () => {
  it('a content that has come once is taken for a repeat, one that recurs is handed on', () => {
    expect(rest('abcb', 'cbd', undefined)).toBe('bd');
    expect([...merge(ids('abcb'), ids('c'), undefined, memory).seen.keys()]).toEqual(['~a']);
  });

  it('ids of publishers are repeats, once for each that has come', () => {
    expect(merge(['1', '2', '2'], ['2', '2', '2', '3'], undefined, memory).isRepeat).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

/** Two queues that a marker goes to, and what was published. */
interface Queues {
  readonly old: number[];
  readonly fresh: number[];
  readonly marked: number;
}
/** Everything is published in one order; the marker is taken in after `end` messages, at the other queue `off` later. */
const queues = fc
  .record({
    before: fc.nat({ max: 20 }),
    shared: fc.nat({ max: 40 }),
    after: fc.integer({ min: 8, max: 30 }),
    off: fc.integer({ min: -3, max: 3 }),
  })
  .map(({ before, shared, after, off }) => {
    const all = Array.from({ length: before + shared + after }, (_, n) => n);
    const marked = Math.max(0, shared + off);
    return {
      all,
      off,
      shared,
      queues: { old: all.slice(0, before + shared), fresh: all.slice(before), marked },
    };
  });
const handedOn = ({ old, fresh, marked }: Queues, contentOf: (n: number) => string | number) => {
  const idsOf = (of: number[]) => of.map((n) => `~${contentOf(n)}`);
  const { isRepeat } = merge(idsOf(old), idsOf(fresh), marked, memory);
  return [...old, ...fresh.filter((_, n) => !isRepeat[n])];
};
const contents = fc.array(fc.constantFrom('on', 'off', 'alive'), { minLength: 1, maxLength: 5 });

describe('a model of two queues', () => {
  it('where both took the marker in at the same place, every message is handed on once and in order, whatever recurs', () => {
    fc.assert(
      fc.property(queues, contents, ({ all, shared, queues }, of) => {
        const handed = handedOn({ ...queues, marked: shared }, (n) => of[n % of.length] ?? '');
        expect(handed).toEqual(all);
      }),
      { numRuns: runs },
    );
  });

  it('where they did not, so it is of distinct contents', () => {
    fc.assert(
      fc.property(queues, ({ all, off, shared, queues }) => {
        // Nothing shows where the new stream began in the old one.
        fc.pre(queues.marked > 0 && shared > 0 && shared + off > 0);
        expect(handedOn(queues, (n) => n)).toEqual(all);
      }),
      { numRuns: runs },
    );
  });

  it('of several publishers, whose messages each queue takes in as they come, none of distinct contents is lost', () => {
    const swaps = fc.array(fc.nat({ max: 80 }), { maxLength: 10 });
    fc.assert(
      fc.property(queues, swaps, ({ all, queues }, at) => {
        const fresh = [...queues.fresh];
        for (const n of at) {
          const [a, b] = [fresh[n], fresh[n + 1]];
          if (a !== undefined && b !== undefined) [fresh[n], fresh[n + 1]] = [b, a];
        }
        const handed = handedOn({ ...queues, fresh }, (n) => n);
        expect([...new Set(handed)].sort((a, b) => a - b)).toEqual(all);
      }),
      { numRuns: runs },
    );
  });
});
