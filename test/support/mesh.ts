import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  type ControlledMesh,
  type Mesh,
  type MeshOptions,
  startControlledMesh,
  startMesh,
} from '@evenkeel/local';
import { onTestFinished } from 'vitest';
import { freshVhost } from './broker.js';

const logs = join(import.meta.dirname, '..', '..', '.evenkeel', 'test-logs');

/**
 * Starts a mesh of processes in a vhost of its own, for the running test: it is stopped when the test is
 * over. Logs are kept under `.evenkeel/test-logs/`.
 */
export async function startTestMesh(options: Partial<MeshOptions> = {}): Promise<Mesh> {
  return untilTestEnds(await startMesh(await testOptions(options)));
}

/** The same, with edges that come and go on request, as those of `npm start` do. */
export async function startControlledTestMesh(options: Partial<MeshOptions> = {}): Promise<ControlledMesh> {
  return untilTestEnds(await startControlledMesh(await testOptions(options)));
}

async function testOptions(options: Partial<MeshOptions>): Promise<MeshOptions> {
  const { amqpUrl, urlFor } = await freshVhost();
  const logDir = join(logs, randomBytes(4).toString('hex'));
  return { edges: 2, amqpUrl, urlFor, logDir, ...options };
}

function untilTestEnds<T extends Mesh>(mesh: T): T {
  onTestFinished(() => mesh.stop());
  return mesh;
}
