import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@evenkeel/testkit';
import { describe, expect, it } from 'vitest';
import { scripted } from '../support/scripted-edge-client.js';

describe('an edge that fails before welcome', () => {
  it('is named to the gateway as tried, with those before it, until the next welcome', async () => {
    const { mesh, a, b, c, status, statuses } = await scripted();
    const tried = () => mesh.lookups.map(({ query }) => query.get('tried'));
    const places = [a, b, c, a];
    a.refuseWith = 401;
    b.onFrame = (at) => at.close(4010, 'wrong-edge');
    b.defaults = { ...b.defaults, welcome: false };
    mesh.answer = () => {
      mesh.target = places[mesh.lookups.length - 1] ?? a;
      return undefined;
    };
    expect(await status('connect-failed')).toMatchObject({ code: 'http-401', node: 'a' });
    const at = await c.next();
    await status('connected');
    expect(tried()).toEqual([null, 'a', 'b,a']);
    expect(statuses.filter((s) => s.type === 'connect-failed')[1]).toMatchObject({ code: 4010, node: 'b' });
    a.refuseWith = undefined;
    at.terminate();
    await (await a.next()).take('hello');
    expect(tried()).toEqual([null, 'a', 'b,a', null]);
  });

  it('is named alone when the gateway, with no other left, sends the client there again and it fails again', async () => {
    const { mesh, a, b, c } = await scripted();
    const places = [a, b, a, c];
    a.refuseWith = 503;
    b.refuseWith = 503;
    mesh.answer = () => {
      mesh.target = places[mesh.lookups.length - 1] ?? c;
      return undefined;
    };
    await (await c.next()).take('hello');
    expect(mesh.lookups.map(({ query }) => query.get('tried'))).toEqual([null, 'a', 'b,a', 'a']);
  });

  it('is reported by name and address when nothing listens there', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await eventually('a port', () => server.listening);
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const url = `ws://127.0.0.1:${port}/ws`;
    const { mesh, a, status } = await scripted();
    mesh.answer = () =>
      mesh.lookups.length > 1
        ? undefined
        : { status: 200, body: { url, node: 'gone', ticket: 't', session: 's', expiresInMs: 1_000 } };
    const { code, reason, node } = await status('connect-failed');
    expect([code, node]).toEqual([1006, 'gone']);
    expect(reason).toContain(`gone at ${url}: `);
    expect(reason).toContain('ECONNREFUSED');
    await a.next();
    expect(mesh.lookups[1]?.query.get('tried')).toBe('gone');
  });
});

describe('the target of a move that fails', () => {
  it('is named as tried when the old edge has let the session go', async () => {
    const { mesh, b, c, connected } = await scripted();
    b.defaults = { ...b.defaults, welcome: false };
    const at = await connected();
    at.move(b);
    const second = await b.next();
    await second.take('hello');
    at.moved();
    mesh.target = c;
    second.close(4010, 'wrong-edge');
    await (await c.next()).take('hello');
    expect(mesh.lookups.map(({ query }) => query.get('tried'))).toEqual([null, 'b']);
  });

  it('that is another edge leaves the client on its first socket, which asks nobody', async () => {
    const { mesh, client, b, connected, status } = await scripted();
    b.defaults = { ...b.defaults, welcome: false };
    const at = await connected();
    at.move(b);
    const second = await b.next();
    second.close(4010, 'ws://b.example/ws');
    expect(await status('move-failed')).toMatchObject({ reason: 'ws://b.example/ws' });
    await client.publish('still.here', 1);
    expect([client.state, client.node, mesh.lookups.length]).toEqual(['connected', 'a', 1]);
  });
});
