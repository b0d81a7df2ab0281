import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { doOverlap } from './pattern.js';

it.each([
  ['a', 'a', true],
  ['ov.*', 'ov.b', true],
  ['ov.*', 'ov.b.c', false],
  ['ov.#', 'ov', true],
  ['#', 'any.thing', true],
  ['a.*.c', 'a.b.*', true],
  ['a.#.c', '#.d', false],
  ['a.#.c', '#.c.c', true],
  ['a', 'b', false],
  ['*', '#.a.b', false],
  ['chat.*', 'chat', false],
])('%s and %s: some name matches both: %s', (a, b, expected) => {
  expect(doOverlap(a, b)).toBe(expected);
  expect(doOverlap(b, a)).toBe(expected);
});

it('whatever matches both is found', () => {
  const word = fc.constantFrom('a', 'b', '*', '#');
  const pattern = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('.'));
  const matches = (name: string, by: string): boolean =>
    new RegExp(
      `^${`.${by}`
        .replaceAll('.#', '(?:\\.[ab])*')
        .replaceAll('.*', '\\.[ab]')
        .replaceAll(/\.(?=[ab](?:[.(\\]|$))/g, '\\.')}$`,
    ).test(`.${name}`);
  const names = [1, 2, 3, 4, 5].flatMap((length) =>
    Array.from({ length: 2 ** length }, (_, n) =>
      [...n.toString(2).padStart(length, '0')].map((digit) => (digit === '0' ? 'a' : 'b')).join('.'),
    ),
  );
  fc.assert(
    fc.property(pattern, pattern, (a, b) => {
      if (names.some((name) => matches(name, a) && matches(name, b))) expect(doOverlap(a, b)).toBe(true);
      else if (a.split('.').length + b.split('.').length <= 5)
        expect(doOverlap(a, b)).toBe(isOnlyNothing(a, b));
    }),
  );
});

/** Both take no word at all, which no name is. */
const isOnlyNothing = (a: string, b: string): boolean => /^#(?:\.#)*$/.test(a) && /^#(?:\.#)*$/.test(b);
