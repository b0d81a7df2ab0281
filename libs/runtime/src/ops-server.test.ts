import { describe, expect, it, onTestFinished } from 'vitest';
import { observeCounter, observeGauges } from './observed.js';
import { OpsServer } from './ops-server.js';

async function serve(port = 0) {
  const ops = new OpsServer({ port, host: '127.0.0.1', service: 'edge', node: 'n1' });
  await ops.start();
  onTestFinished(() => ops.stop());
  return { ops, get: (path: string) => fetch(`http://127.0.0.1:${ops.port}${path}`) };
}

describe('OpsServer', () => {
  it('is ready exactly while every check passes, and says which does not', async () => {
    const { ops, get } = await serve();
    let broker: true | string = 'connecting';
    ops.readiness('started', () => true);
    ops.readiness('broker', () => broker);
    const before = await get('/readyz');
    expect(before.status).toBe(503);
    expect(await before.json()).toEqual({ ready: false, checks: { started: true, broker: 'connecting' } });
    expect((await get('/healthz')).status).toBe(200);
    broker = true;
    expect((await get('/readyz')).status).toBe(200);
    expect(ops.isReady()).toBe(true);
  });

  it('says what is noted, and is ready all the same', async () => {
    const { ops, get } = await serve();
    let note: string | undefined = 'no edge is heard';
    ops.note('view', () => note);
    const answer = await get('/readyz');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ ready: true, checks: {}, notes: { view: 'no edge is heard' } });
    note = undefined;
    expect(await (await get('/readyz')).json()).toEqual({ ready: true, checks: {} });
  });

  it('counts a check that throws as not ready', async () => {
    const { ops, get } = await serve();
    ops.readiness('broken', () => {
      throw new Error('boom');
    });
    const answer = await get('/readyz');
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('boom');
  });

  it('serves metrics with their labels, those of Node among them', async () => {
    const { ops, get } = await serve();
    let nodes: [string, number][] = [['a', 1]];
    observeCounter(ops.metrics, 'moves_total', 'Moves', () => 2);
    observeGauges(ops.metrics, 'reserved', 'Reserved', 'to', () => nodes);
    const text = await (await get('/metrics')).text();
    expect(text).toContain('moves_total{service="edge",node="n1"} 2');
    expect(text).toContain('reserved{to="a",service="edge",node="n1"} 1');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
    nodes = [['b', 1]];
    expect(await (await get('/metrics')).text()).not.toContain('to="a"');
  });

  it('serves the status, and 404 for what there is not', async () => {
    const { ops, get } = await serve();
    expect(await (await get('/status')).json()).toEqual({});
    ops.status(() => ({ sessions: 3 }));
    expect(await (await get('/status?x=1')).json()).toEqual({ sessions: 3 });
    expect((await get('/other')).status).toBe(404);
  });

  it('rejects when its port is taken', async () => {
    const { ops } = await serve();
    await expect(serve(ops.port)).rejects.toThrow('EADDRINUSE');
  });
});
