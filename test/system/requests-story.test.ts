import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

test('requests are answered once, and answers in parts are whole and in order, while all sessions move and an edge is killed', async () => {
  const story = [join(root, 'tools', 'local', 'run.mjs'), 'story', '--scenario', 'requests'];
  // It exits with 1 where something did not hold; what that is it says all the same.
  const { stdout } = await run(
    process.execPath,
    [...story, '--sessions', '60', '--requests', '1200', '--streams', '240', '--rate', '60', '--json'],
    { cwd: root, maxBuffer: 16 * 1024 * 1024 },
  ).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }));
  const { held, failures, moved, calling, requests, streams } = JSON.parse(stdout) as {
    held: boolean;
    failures: string[];
    moved: number;
    calling: { disconnects: number }[];
    requests: { answered: number };
    streams: { answered: number; parts: number };
  };
  expect(failures).toEqual([]);
  expect(held).toBe(true);
  expect(moved).toBe(60);
  expect(calling.some(({ disconnects }) => disconnects > 0)).toBe(true);
  expect(requests.answered).toBeGreaterThan(1_150);
  expect(streams.answered).toBeGreaterThan(230);
  expect(streams.parts).toBeGreaterThanOrEqual(50 * streams.answered);
});
