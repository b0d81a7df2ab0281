import { matches } from '@evenkeel/access';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PatternIndex } from './patterns.js';

const word = fc.constantFrom('a', 'b', 'c');
const topic = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('.'));
const pattern = fc
  .array(fc.oneof(word, fc.constantFrom('*', '#')), { minLength: 1, maxLength: 4 })
  .map((words) => words.join('.'))
  .filter((words) => /[*#]/.test(words));

describe('the patterns of an edge', () => {
  it('are found for exactly the topics that they match, whichever come and go', () => {
    const change = fc.record({ pattern, isAdded: fc.boolean(), topic });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const index = new PatternIndex();
        const there = new Set<string>();
        for (const { pattern, isAdded, topic } of changes) {
          if (isAdded && !there.has(pattern)) index.add(pattern);
          if (!isAdded) index.delete(pattern);
          if (isAdded) there.add(pattern);
          else there.delete(pattern);
          const expected = [...there].filter((each) => matches(each, topic));
          expect([...index.matching(topic)].sort()).toEqual(expected.sort());
          expect(index.size).toBe(there.size);
        }
      }),
    );
  });

  it.each(['a.', '.a', 'a..b', 'a.*', 'a.é', ''])('match no %j, which is no topic', (name) => {
    const index = new PatternIndex();
    index.add('#');
    index.add('a.#');
    expect(index.matching(name)).toEqual([]);
  });
});
