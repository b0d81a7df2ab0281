import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

test('a mesh of the release before becomes one of this commit and goes back, and nobody loses, repeats or reorders an event', async () => {
  const story = [join(root, 'tools', 'local', 'run.mjs'), 'story', '--scenario', 'upgrade'];
  const { stdout } = await run(
    process.execPath,
    [...story, '--sessions', '60', '--rate', '50', '--topics', '8', '--json'],
    { cwd: root, maxBuffer: 16 * 1024 * 1024 },
  );
  const { held, failures, groups } = JSON.parse(stdout) as {
    held: boolean;
    failures: string[];
    groups: { lost: number; repeated: number; reordered: number }[];
  };
  expect(failures).toEqual([]);
  expect(held).toBe(true);
  for (const { lost, repeated, reordered } of groups) expect([lost, repeated, reordered]).toEqual([0, 0, 0]);
});
