import { expect, test } from 'vitest';
import { readMutant, summary } from './patch.js';

test('a patch names the command that must fail with it, above its diff', () => {
  const text = '# caught-by: npx vitest run hub.test.ts\ndiff --git a/x b/x\n+# caught-by: nothing\n';
  expect(readMutant('bench/mutants/no-fence.patch', text)).toEqual({
    name: 'no-fence',
    path: 'bench/mutants/no-fence.patch',
    caughtBy: 'npx vitest run hub.test.ts',
  });
});

test('a patch without one is refused', () => {
  expect(() => readMutant('a.patch', 'diff --git a/x b/x\n# caught-by: y\n')).toThrow(
    'a.patch names no test',
  );
});

test('nothing run is no success, and neither is a mutant that does not compile', () => {
  expect(summary(new Map())).toEqual({ text: '0 caught, 0 not caught', isFine: false });
  expect(summary(new Map([['a', 'caught']])).isFine).toBe(true);
  expect(
    summary(
      new Map([
        ['a', 'caught'],
        ['b', 'does not compile'],
      ]),
    ),
  ).toEqual({ text: '1 caught, 1 not caught', isFine: false });
});
