import { describe, expect, it, onTestFinished } from 'vitest';
import { createMetrics } from './metrics.js';
import { OpsServer } from './ops-server.js';

async function serve(ready: () => Record<string, true | string>) {
  const metrics = createMetrics({ service: 'edge', node: 'n1', defaults: false });
  const server = new OpsServer({
    port: 0,
    host: '127.0.0.1',
    metrics,
    ready,
    status: () => ({ sessions: 3 }),
  });
  await server.start();
  onTestFinished(() => server.stop());
  return { metrics, get: (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`) };
}

describe('OpsServer', () => {
  it('is ready exactly while every check passes, and says which does not', async () => {
    const checks: Record<string, true | string> = { broker: 'connecting' };
    const { get } = await serve(() => checks);
    const before = await get('/readyz');
    expect(before.status).toBe(503);
    expect(await before.json()).toEqual({ ready: false, checks: { broker: 'connecting' } });
    expect((await get('/healthz')).status).toBe(200);
    checks.broker = true;
    expect((await get('/readyz')).status).toBe(200);
  });

  it('counts a check that throws as not ready', async () => {
    const { get } = await serve(() => {
      throw new Error('boom');
    });
    expect((await get('/readyz')).status).toBe(503);
  });

  it('serves metrics with their labels, the status, and 404 for the rest', async () => {
    const { get, metrics } = await serve(() => ({}));
    const { Counter } = await import('prom-client');
    new Counter({ name: 'moves_total', help: 'Moves', registers: [metrics] }).inc(2);
    expect(await (await get('/metrics')).text()).toContain('moves_total{service="edge",node="n1"} 2');
    expect(await (await get('/status?x=1')).json()).toEqual({ sessions: 3 });
    expect((await get('/other')).status).toBe(404);
  });

  it('rejects when its port is taken', async () => {
    const first = new OpsServer({ port: 0, host: '127.0.0.1' });
    await first.start();
    onTestFinished(() => first.stop());
    await expect(new OpsServer({ port: first.port, host: '127.0.0.1' }).start()).rejects.toThrow(
      'EADDRINUSE',
    );
  });
});
