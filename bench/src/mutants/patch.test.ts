import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readMutant, summary, verdictOf } from './patch.js';

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

test('every committed patch applies to the tree as it is, and the test named for it exists', () => {
  const root = join(import.meta.dirname, '..', '..', '..');
  const folder = join(root, 'bench', 'mutants');
  const unfit = readdirSync(folder).filter((name) => {
    const path = join(folder, name);
    const { caughtBy } = readMutant(path, readFileSync(path, 'utf8'));
    const test = caughtBy.split(' ').at(-1) ?? '';
    const exists = spawnSync('git', ['ls-files', '--error-unmatch', test], { cwd: root }).status === 0;
    return !exists || spawnSync('git', ['apply', '--check', path], { cwd: root }).status !== 0;
  });
  expect(unfit).toEqual([]);
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

test('it is caught by a test that fails, not by a command that could not run', () => {
  expect(verdictOf({ status: 0, output: '3 passed, 0 failed' })).toBe('survived');
  expect(verdictOf({ status: 1, output: ' Tests  \u001b[31m1 failed\u001b[39m | 3 passed (4)' })).toBe(
    'caught',
  );
  expect(verdictOf({ status: 1, output: '10 passed, 2 failed\n' })).toBe('caught');
  expect(verdictOf({ status: 1, output: 'x\nNOT HELD:\n  - 1 lost' })).toBe('caught');
  expect(verdictOf({ status: 1, output: 'No test files found, exiting with code 1' })).toBe('unclear');
  expect(verdictOf({ status: 127, output: 'sh: 1: nothing: not found' })).toBe('unclear');
});
