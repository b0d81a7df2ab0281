import { request } from 'node:http';
import { hostname } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { observeCounter, observeGauges } from './observed.js';
import { OpsServer } from './ops-server.js';

const token = 'a token of operators'.replaceAll(' ', '-');

async function serve(
  port = 0,
  access: { host?: string; token?: string; hosts?: string[]; version?: string } = {},
) {
  const ops = new OpsServer({ port, host: '127.0.0.1', service: 'edge', node: 'n1', ...access });
  await ops.start();
  onTestFinished(() => ops.stop());
  return { ops, get: (path: string) => fetch(`http://127.0.0.1:${ops.port}${path}`) };
}

/** Not `fetch`: that sets `Host` itself. */
function ask(port: number, path: string, headers: Record<string, string>): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve([response.statusCode ?? 0, text]));
    });
    sent.on('error', reject).end();
  });
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

  it.each([
    ['the one that is deployed, where a setting says it', '2.1.0', /version="2\.1\.0"/],
    ['its own, where an edge has the setting’s default', '0', /version="\d+\.\d+\.\d+"/],
    ['its own, where there is no such setting', undefined, /version="\d+\.\d+\.\d+"/],
  ])('says which version runs: %s', async (_, version, label) => {
    const { get } = await serve(0, version === undefined ? {} : { version });
    const text = await (await get('/metrics')).text();
    const line = text.split('\n').find((each) => each.startsWith('evenkeel_build_info{')) ?? '';
    expect(line).toMatch(label);
    expect(line).toContain(`node_version="${process.version}"`);
    expect(line.endsWith(' 1')).toBe(true);
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

describe('who may read an ops server', () => {
  const paths = ['/metrics', '/status', '/other'];

  it('on loopback whoever asks by an address, localhost, the host name or a name that is set', async () => {
    const { ops } = await serve(0, { hosts: ['Mesh.internal'] });
    const names = ['127.0.0.1:9', 'localhost', 'LOCALHOST:80', '[::1]:9', '10.1.2.3', hostname()];
    for (const host of [...names, 'mesh.internal:9100'])
      expect([host, (await ask(ops.port, '/status', { host }))[0]]).toEqual([host, 200]);
  });

  it('nobody by another name, as a page has it that leads its own name here; health is told all the same', async () => {
    const { ops } = await serve();
    ops.readiness('broker', () => 'connecting to a secret place');
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '1.2.3', 'a:b']) {
      for (const path of paths) {
        const [status, text] = await ask(ops.port, path, { host });
        expect([host, path, status]).toEqual([host, path, 403]);
        expect(text).toContain('EVENKEEL_OPS_HOSTS');
      }
      expect(await ask(ops.port, '/healthz', { host })).toEqual([200, '']);
      expect(await ask(ops.port, '/readyz', { host })).toEqual([503, '']);
    }
  });

  it('elsewhere whoever shows the token; anybody else learns whether it is ready and no more', async () => {
    const { ops } = await serve(0, { host: '0.0.0.0', token });
    ops.readiness('broker', () => 'connecting to a secret place');
    const host = `127.0.0.1:${ops.port}`;
    const wrong = ['', 'Bearer', `Bearer ${token}x`, `Basic ${token}`, token];
    for (const authorization of wrong) {
      for (const path of paths) {
        const [status, text] = await ask(ops.port, path, { host, ...(authorization && { authorization }) });
        expect([authorization, path, status]).toEqual([authorization, path, 401]);
        expect(text).not.toContain(token);
      }
    }
    expect(await ask(ops.port, '/readyz', { host })).toEqual([503, '']);
    const authorization = `bearer ${token}`;
    expect((await ask(ops.port, '/metrics', { host, authorization }))[0]).toBe(200);
    expect((await ask(ops.port, '/readyz', { host, authorization }))[1]).toContain('secret place');
    expect((await ask(ops.port, '/metrics', { host: 'evil.example', authorization }))[0]).toBe(403);
  });

  it('elsewhere nobody while there is no token, and is told what to set', async () => {
    const { ops, get } = await serve(0, { host: '0.0.0.0' });
    const answer = await get('/metrics');
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await answer.text()).toContain('EVENKEEL_OPS_TOKEN');
    expect((await get('/readyz')).status).toBe(200);
    expect((await ask(ops.port, '/status', { authorization: 'Bearer undefined' }))[0]).toBe(401);
  });

  it('no page of a browser may show or read what it says', async () => {
    const { get } = await serve();
    for (const path of ['/metrics', '/status', '/readyz', '/other']) {
      const { headers } = await get(path);
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('access-control-allow-origin')).toBe(null);
    }
  });
});
