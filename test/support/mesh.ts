import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Mesh, type MeshOptions, startMesh } from '@evenkeel/local';
import { onTestFinished } from 'vitest';
import { freshVhost } from './broker.js';

const logs = join(import.meta.dirname, '..', '..', '.evenkeel', 'test-logs');

/**
 * Starts a mesh of processes in a vhost of its own, for the running test: it is stopped when the test is
 * over. Logs are kept under `.evenkeel/test-logs/`.
 */
export async function startTestMesh(options: Partial<MeshOptions> = {}): Promise<Mesh> {
  const { amqpUrl } = await freshVhost();
  const logDir = join(logs, randomBytes(4).toString('hex'));
  const mesh = await startMesh({ edges: 2, amqpUrl, logDir, ...options });
  onTestFinished(() => mesh.stop());
  return mesh;
}
