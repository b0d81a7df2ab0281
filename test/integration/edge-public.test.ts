import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EdgeMesh, SessionUnderTest } from '../support/edge.js';

let mesh: EdgeMesh;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
});
afterAll(() => mesh.close());

describe('health on the port that clients use', () => {
  it('is told by status alone, and a draining edge is not ready while it lives', async () => {
    const edge = await mesh.edge('health', { DRAIN_PATIENCE_MS: '60000', DRAIN_TIMEOUT_MS: '60000' });
    const ask = async (path: string, method = 'GET') => {
      const response = await fetch(new URL(path, edge.url.replace('ws:', 'http:')), { method });
      return [response.status, await response.text()];
    };
    for (const method of ['GET', 'HEAD']) {
      expect(await ask('/healthz', method)).toEqual([200, '']);
      expect(await ask('/readyz', method)).toEqual([200, '']);
    }
    expect((await ask('/readyz', 'POST'))[0]).toBe(404);

    // Its session holds the drain up.
    const client = await new SessionUnderTest('healthy').attach(edge);
    const stopped = edge.member.stop();
    await vi.waitUntil(async () => (await ask('/readyz'))[0] === 503, { timeout: 10_000 });
    expect(await ask('/healthz')).toEqual([200, '']);
    client.close();
    await stopped;
  });
});
