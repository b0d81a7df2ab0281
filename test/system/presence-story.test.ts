import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

test('three observers on three edges are told who comes and goes, once and in time, over moves, reloads and a killed edge', async () => {
  const story = [join(root, 'tools', 'local', 'run.mjs'), 'story', '--scenario', 'presence'];
  // It exits with 1 where something did not hold; what that is it says all the same.
  const { stdout } = await run(
    process.execPath,
    [...story, '--sessions', '60', '--edges', '3', '--moves', '150', '--json'],
    { cwd: root, maxBuffer: 16 * 1024 * 1024 },
  ).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }));
  const { held, failures, observers, kills } = JSON.parse(stdout) as {
    held: boolean;
    failures: string[];
    observers: { joined: number; left: number; falseLeaves: number }[];
    kills: { returned: number; gone: number }[];
  };
  expect(failures).toEqual([]);
  expect(held).toBe(true);
  expect(observers).toHaveLength(3);
  for (const { joined, left, falseLeaves } of observers) {
    expect(joined).toBeGreaterThan(50);
    expect(left).toBeGreaterThan(5);
    expect(falseLeaves).toBe(0);
  }
  for (const { returned, gone } of kills) expect(Math.min(returned, gone)).toBeGreaterThan(0);
});
