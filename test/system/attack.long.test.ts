import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const rows = ['forged-tokens', 'nested-50000', 'used-tickets'];

test('npm run attack: forged tokens, deep nesting and used tickets are refused, and innocent clients stay as they are', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['tools/local/run.mjs', 'attack', '--untimed', '--only', rows.join(',')],
    { cwd: root, timeout: 170_000 },
    // It ends with 1 when a row is not refused; which one, and why, it prints.
  ).catch((error: { stdout: string }) => error);
  expect(stdout.trimEnd().split('\n').at(-1), stdout).toBe('3 refused, 0 not');
});
