import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensurePackages } from '@evenkeel/local';
import { rulesFiles, rulesTestFiles } from '@evenkeel/observability';
import { beforeAll, expect, test } from 'vitest';

const run = promisify(execFile);
const config = join(import.meta.dirname, '..', '..', 'infra', 'observability', 'prometheus.yml');

beforeAll(() => ensurePackages(['prometheus'], 'for the tests of metrics and alerts'));

test.each([
  ['the rules are well formed', ['check', 'rules', ...rulesFiles()]],
  ['the rules do what their tests say', ['test', 'rules', ...rulesTestFiles()]],
  ["the containers' settings are well formed", ['check', 'config', '--syntax-only', config]],
])('%s: promtool finds nothing', async (_, args) => {
  const { stdout, stderr } = await run('promtool', args);
  expect(stdout).toContain('SUCCESS');
  expect(`${stdout}${stderr}`).not.toContain('FAILED');
});
