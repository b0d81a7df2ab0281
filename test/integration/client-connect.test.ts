import { ClientError } from '@evenkeel/client';
import { eventually } from '@evenkeel/testkit';
import { describe, expect, it } from 'vitest';
import { scripted } from '../support/scripted-edge-client.js';

describe('a client', () => {
  it('asks the gateway, dials with the ticket, and says hello without anything to resume', async () => {
    const { mesh, client, connected, status } = await scripted({ token: 'secret', topics: ['news'] });
    const at = await connected();
    expect(at.ticket).toBe('ticket-1');
    expect(await at.take('hello')).toMatchObject({ resume: false, topics: ['news'] });
    expect(mesh.lookups[0]).toMatchObject({ authorization: 'Bearer secret' });
    expect([client.state, client.node, client.session]).toEqual(['connected', 'a', mesh.session]);
    expect(await status('connected')).toMatchObject({ node: 'a', session: mesh.session, resumed: false });
  });

  it('comes back to its session after a loss, naming the node that held it', async () => {
    const { mesh, b, connected, status } = await scripted();
    const at = await connected();
    mesh.target = b;
    at.terminate();
    const hello = await (await b.next()).take('hello');
    expect(hello.resume).toBe(true);
    expect(hello.awayMs).toBeGreaterThanOrEqual(0);
    expect(mesh.lookups[1]?.query.get('session')).toBe(mesh.session);
    expect(mesh.lookups[1]?.query.get('from')).toBe('a');
    expect(await status('disconnected')).toMatchObject({ code: 1006 });
  });

  it('names all nodes it had to do with since, newest first', async () => {
    const { mesh, b, c, connected } = await scripted();
    b.refuseWith = 503;
    const at = await connected();
    mesh.target = b;
    at.terminate();
    await eventually('a try at b', () => mesh.lookups.length >= 3);
    expect(mesh.lookups[2]?.query.get('from')).toBe('b,a');
    mesh.target = c;
    await (await c.next()).take('hello');
  });

  it('has a session given to it asked for, with nothing to resume in this instance', async () => {
    const { mesh, connected } = await scripted({ session: 'mine' });
    const at = await connected();
    expect(mesh.lookups[0]?.query.get('session')).toBe('mine');
    expect((await at.take('hello')).resume).toBe(false);
  });

  it('waits as long as Retry-After says and a random part more', async () => {
    const { mesh, status, connected } = await scripted({ random: () => 0.25 });
    mesh.answer = () =>
      mesh.lookups.length === 1
        ? { status: 503, headers: { 'retry-after': '1' }, body: { error: { code: 'full', message: 'full' } } }
        : undefined;
    const failed = await status('connect-failed');
    expect(failed).toMatchObject({ code: 'full', retryInMs: 1250 });
    await connected();
    expect((mesh.lookups[1]?.at ?? 0) - (mesh.lookups[0]?.at ?? 0)).toBeGreaterThanOrEqual(1240);
  });

  it('doubles the ceiling of its waits up to the maximum', async () => {
    const { mesh, statuses, connected } = await scripted({
      random: () => 0.999,
      backoff: { minMs: 4, maxMs: 16 },
    });
    mesh.answer = () => (mesh.lookups.length <= 5 ? { status: 502, body: {} } : undefined);
    await connected();
    const waits = statuses.flatMap((s) => (s.type === 'connect-failed' ? [s.retryInMs] : []));
    expect(waits).toEqual([4, 8, 16, 16, 16]);
  });

  it.each([null, {}, { url: 7 }, 'ok'])(
    'takes a gateway that answers 200 with %j for one that is not there',
    async (body) => {
      const { mesh, status, connected } = await scripted();
      mesh.answer = () => (mesh.lookups.length === 1 ? { status: 200, body } : undefined);
      expect(await status('connect-failed')).toMatchObject({ code: 'bad-answer' });
      await connected();
    },
  );

  it('ends when its token is refused', async () => {
    const { mesh, client, status } = await scripted({ token: 'old' });
    mesh.answer = () => ({ status: 401, body: { error: { code: 'bad-token', message: 'expired' } } });
    await expect(client.ready()).rejects.toMatchObject({ code: 'unauthorized', message: 'expired' });
    expect((await status('closed')).error).toBeInstanceOf(ClientError);
    expect(mesh.lookups).toHaveLength(1);
  });

  it('asks for a new token each time that one is refused, and goes on', async () => {
    let n = 0;
    const { mesh, connected } = await scripted({ getToken: async () => `token-${++n}` });
    mesh.answer = () => (mesh.lookups.length <= 5 ? { status: 401, body: {} } : undefined);
    await connected();
    expect(mesh.lookups.map((l) => l.authorization)).toEqual(
      [1, 2, 3, 4, 5, 6].map((n) => `Bearer token-${n}`),
    );
  });

  it('says by `ready` what failed last, and goes on', async () => {
    const { mesh, client, connected } = await scripted();
    mesh.answer = () => ({ status: 404, body: '' });
    const refused = expect(client.ready({ timeoutMs: 200 })).rejects;
    await refused.toMatchObject({ code: 'timeout', cause: { name: 'LookupError', code: 'http-404' } });
    await refused.toThrow(
      /not connected within 200 ms: .*\/gateway answered 404 without a placement; is it a gateway\?/,
    );
    const controller = new AbortController();
    const aborted = expect(client.ready({ signal: controller.signal })).rejects.toMatchObject({
      code: 'aborted',
    });
    controller.abort('no more');
    await aborted;
    await expect(client.ready({ signal: controller.signal })).rejects.toMatchObject({ cause: 'no more' });
    await expect(client.ready({ timeoutMs: 0 })).rejects.toMatchObject({ code: 'bad-option' });
    mesh.answer = () => undefined;
    await connected();
    await client.ready({ timeoutMs: 1, signal: controller.signal });
  });

  it('says why a gateway cannot be reached, and where it was looked for', async () => {
    const { status } = await scripted({ gateway: 'http://127.0.0.1:1' });
    const { code, reason, cause } = await status('connect-failed');
    expect(code).toBe('unreachable');
    expect(reason).toMatch(/^http:\/\/127\.0\.0\.1:1\/gateway cannot be reached: fetch failed: ./);
    expect(cause).toBeInstanceOf(ClientError);
  });

  it.each([4500, 4501, 4502, 4777, 1008, 1009])('ends when an edge closes with %i', async (code) => {
    const { client, connected, status, types } = await scripted();
    const at = await connected();
    at.close(code, 'why');
    const { error } = await status('closed');
    expect(error).toMatchObject({ code: 'why' });
    expect(client.state).toBe('closed');
    // Whoever calls it later is told why, and not only that.
    const later = client.publish('x', 1);
    await expect(later).rejects.toMatchObject({ code: 'closed', cause: error });
    await expect(later).rejects.toThrow(`(${code} why)`);
    expect(types()).not.toContain('disconnected');
  });

  it('that keeps its session in the storage of a tab begins another when a copy of that tab has taken it', async () => {
    const storage = { getItem: () => null, setItem: () => {}, removeItem: () => {} };
    const { mesh, a, connected, status } = await scripted({ storage });
    const at = await connected();
    at.close(4501, 'superseded');
    expect(await status('disconnected')).toMatchObject({ reason: 'superseded' });
    // It has a state, so that the edge tells it of the gap.
    expect((await (await a.next()).take('hello')).resume).toBe(true);
    expect(mesh.lookups[1]?.query.has('session')).toBe(false);
  });

  it.each([4000, 4003, 4099, 1001, 1011, 1012])('comes back when an edge closes with %i', async (code) => {
    const { a, connected, status } = await scripted();
    const at = await connected();
    at.close(code);
    expect(await status('disconnected')).toMatchObject({ code });
    await (await a.next()).take('hello');
  });

  it('comes back within a random part of a second after 4000, else within that of the first backoff', async () => {
    const waits: number[] = [];
    for (const code of [4000, 4003]) {
      const { connected, status } = await scripted({
        random: () => 0.05,
        backoff: { minMs: 200, maxMs: 200 },
      });
      (await connected()).close(code);
      waits.push((await status('disconnected')).retryInMs);
    }
    expect(waits).toEqual([50, 10]);
  });

  it('pings what is silent, and leaves what stays silent', async () => {
    const { a, status, types } = await scripted();
    a.defaults = { ...a.defaults, welcome: false };
    const at = await a.next();
    await at.take('hello');
    at.welcome({ heartbeatMs: 400 });
    await at.take('ping');
    await at.take('ping');
    expect(types()).not.toContain('disconnected');
    a.defaults = { welcome: true, answer: true, pong: false };
    expect(await status('disconnected')).toMatchObject({ reason: 'no answer' });
    await (await a.next()).take('hello');
  });

  it.each(['{"t":"eve', '{"t":"event","seq":1}', 'null'])(
    'leaves an edge that sends what is no frame (%s), and comes back',
    async (text) => {
      const { a, connected, status } = await scripted();
      (await connected()).socket.send(text);
      expect(await status('disconnected')).toMatchObject({ reason: 'not a frame' });
      await (await a.next()).take('hello');
    },
  );

  it('ignores kinds and fields that it does not know', async () => {
    const { connected, events, types } = await scripted();
    const at = await connected();
    at.socket.send(JSON.stringify({ t: 'tomorrow', x: 1 }));
    at.socket.send(
      JSON.stringify({ t: 'event', seq: 1, id: '1', name: 'n', data: 1, at: 1, tomorrow: true }),
    );
    await eventually('the event', () => events.length === 1);
    expect(types()).not.toContain('disconnected');
  });

  it('tells its statuses to an iterator that ends with the client', async () => {
    const { client, connected } = await scripted();
    const types: string[] = [];
    const reading = (async () => {
      for await (const status of client.status()) types.push(status.type);
    })();
    await connected();
    await client.close();
    await reading;
    expect(types).toEqual(['connecting', 'connected', 'closed']);
  });

  it('can be closed at any moment, more than once, and comes back never', async () => {
    const { a, client, mesh, statuses } = await scripted();
    a.defaults = { ...a.defaults, welcome: false };
    await (await a.next()).take('hello');
    await Promise.all([client.close(), client.close()]);
    expect(await a.connections[0]?.closed()).toBe(1000);
    expect(mesh.lookups).toHaveLength(1);
    expect(statuses.filter((s) => s.type === 'closed')).toHaveLength(1);
    await expect(client.publish('x', 1)).rejects.toMatchObject({ code: 'closed' });
  });

  it('keeps a session per tab over a reload, and gives a duplicated tab one of its own', async () => {
    let saved: string | null = JSON.stringify({ session: 'of-this-tab', from: ['z'], by: 'a' });
    const storage = {
      getItem: () => saved,
      setItem: (_key: string, value: string) => {
        saved = value;
      },
      removeItem: () => {
        saved = null;
      },
    };
    const { mesh, connected } = await scripted({ storage });
    await connected();
    expect(mesh.lookups[0]?.query.get('session')).toBe('of-this-tab');
    expect(mesh.lookups[0]?.query.get('from')).toBe('z');
    expect(saved).toBeNull();
  });
});
