import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

test('every small input that once went wrong has its right answer', async () => {
  const run = promisify(execFile)('npm', ['run', '--silent', 'cases'], { cwd: root });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  expect(stdout.split('\n').filter((line) => line.startsWith('FAIL'))).toEqual([]);
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^[1-9]\d* passed, 0 failed$/);
}, 600_000);
