import { join } from 'node:path';
import { root, runToEnd } from '@evenkeel/local';
import { expect, it } from 'vitest';

it('each of three brokers is drained, restarted and back, under traffic, and no client notices', async () => {
  const story = join(root, 'bench', 'dist', 'story.js');
  const args = ['--scenario', 'brokers', '--sessions', '120', '--rate', '120', '--json'];
  const { status, stdout, stderr } = await runToEnd(process.execPath, [story, ...args], {
    timeoutMs: 600_000,
  });
  expect(JSON.parse(stdout || '{}'), stderr).toMatchObject({ held: true, failures: [] });
  expect(status).toBe(0);
});
