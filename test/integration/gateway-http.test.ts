import { connect } from 'node:net';
import type { HttpError, Placement } from '@evenkeel/protocol';
import { TicketSigner } from '@evenkeel/ticket';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type GatewayUnderTest, secret, startGateway } from './gateway-fixture.js';

const signer = new TicketSigner([secret]);
const placementOf = async (response: Response) => (await response.json()) as Placement;
const errorOf = async (response: Response) => ((await response.json()) as HttpError).error;

describe('GET /gateway', () => {
  it('answers with an active edge and a ticket that this edge accepts', async () => {
    const { ask, edges } = await startGateway();
    await edges.report({ e1: {}, e2: { state: 'draining' } });
    const response = await ask('?user=alice');
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const placement = await placementOf(response);
    expect(placement).toMatchObject({ node: 'e1', url: 'ws://e1.example/ws', expiresInMs: 30_000 });
    expect(signer.check(placement.ticket, { name: 'e1', boot: 'b1' }, Date.now())).toMatchObject({
      ok: true,
      claims: { uid: 'alice', sid: placement.session, node: 'e1', isNew: true },
    });
  });

  it('gives each edge tickets of the form that it reads: for its process, or as before', async () => {
    const { ask, edges } = await startGateway();
    await edges.report({ e1: { ticketParts: 3, boot: 'b1' } });
    const newer = await placementOf(await ask('?user=alice'));
    expect(newer.ticket.split('.')).toMatchObject(['e1', {}, {}]);
    const verdict = signer.check(newer.ticket, { name: 'e1', boot: 'b1' }, Date.now());
    expect(verdict).toMatchObject({ ok: true, claims: { boot: 'b1' } });
    await edges.report({ e1: { state: 'draining' }, e2: {} });
    const older = await placementOf(await ask('?user=alice'));
    expect(older.node).toBe('e2');
    expect(older.ticket.split('.')).toHaveLength(2);
  });

  it('sends nobody to a node that says it is elsewhere than a node may be', async () => {
    const { ask, edges } = await startGateway({ EVENKEEL_NODE_URL_PATTERN: 'ws://*.example' });
    await edges.publish({ evil: { url: 'ws://example.evil/ws' } });
    await edges.report({ e1: {} });
    expect((await edges.shown()).map(({ node }) => node)).toEqual(['e1']);
    for (let n = 0; n < 10; n += 1)
      expect((await placementOf(await ask(`?user=u${n}`))).url).toBe('ws://e1.example/ws');
  });

  it('answers 429 with Retry-After to a user or an address that asks too often, and places the others', async () => {
    const { ask, edges, opsUrl } = await startGateway({
      EVENKEEL_USER_REQUESTS_PER_SECOND: '0.1',
      EVENKEEL_USER_REQUESTS_BURST: '3',
      EVENKEEL_ADDRESS_REQUESTS_PER_SECOND: '0.1',
      EVENKEEL_ADDRESS_REQUESTS_BURST: '10',
      EVENKEEL_LIMIT_LOOPBACK: 'true',
    });
    await edges.report({ e1: {} });
    const flood = [];
    for (let n = 0; n < 6; n += 1) flood.push(await ask('?user=mallory'));
    expect(flood.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429, 429]);
    const refused = flood.at(-1) ?? new Response();
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await errorOf(refused)).code).toBe('rate-limited');
    expect((await ask('?user=alice')).status).toBe(200);
    const strangers = [];
    for (let n = 0; n < 5; n += 1) strangers.push((await ask('')).status);
    expect(strangers).toEqual([401, 401, 401, 429, 429]);
    const metrics = await (await fetch(`${opsUrl}/metrics`)).text();
    expect(metrics).toMatch(/evenkeel_gateway_rejected_total\{reason="user",[^}]*\} 3/);
    expect(metrics).toMatch(/evenkeel_gateway_rejected_total\{reason="address",[^}]*\} 2/);
  });

  it('answers 503 with Retry-After while no edge takes clients', async () => {
    const { ask, edges } = await startGateway();
    const none = await ask('?user=alice');
    expect([none.status, (await errorOf(none)).code]).toEqual([503, 'no-edge-none']);
    expect(Number(none.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    await edges.report({ e1: { capacity: 5, connections: 5 } });
    const full = await ask('?user=alice');
    expect([full.status, (await errorOf(full)).code]).toEqual([503, 'no-edge-full']);
  });

  it('goes on placing clients while nobody reports, as in a memory alarm, and says so', async () => {
    const { ask, edges, opsUrl } = await startGateway();
    await edges.report({ e1: { connections: 3, sessions: 3 }, e2: {} });
    const readiness = async () => {
      const answer = await fetch(`${opsUrl}/readyz`);
      return { status: answer.status, text: await answer.text() };
    };
    // Nobody is sent to one that alone is silent for 5 s.
    await vi.waitUntil(async () => / (5|6|7) s; the last view stands/.test((await readiness()).text), {
      timeout: 15_000,
      interval: 200,
    });
    const sent = await placementOf(await ask('?user=alice'));
    expect(sent.node).toBe('e2');
    // Its session could be asked for by RabbitMQ alone.
    const back = '?user=carol&session=abc&from=e1';
    expect((await placementOf(await ask(back))).node).toBe('e1');
    expect((await placementOf(await ask(`${back}&tried=e1`))).node).toBe('e2');
    expect((await readiness()).status).toBe(200);
    await edges.report({ e1: { connections: 3, sessions: 3 }, e2: { connections: 9, sessions: 9 } });
    expect((await placementOf(await ask('?user=bob'))).node).toBe('e1');
    expect((await placementOf(await ask('?user=dave&session=def&from=e2'))).node).toBe('e1');
    expect((await readiness()).text).not.toContain('last view');
  });

  it('avoids the nodes that a client has tried while there is another, and then takes them again', async () => {
    const { ask, edges } = await startGateway();
    await edges.report({ e1: {}, e2: { connections: 50, sessions: 50 }, e3: { state: 'cordoned' } });
    const sentTo = async (query: string) =>
      (await placementOf(await ask(`?user=alice&session=s${query}`))).node;
    expect(await sentTo('')).toBe('e1');
    expect(await sentTo('&tried=e1')).toBe('e2');
    expect(await sentTo('&tried=e1,e2,e3,e4,e5,e6,e7,e8')).toBe('e1');
    expect(await sentTo('&tried=')).toBe('e1');
  });

  it('is not ready while it has lost RabbitMQ, and sees the edges again afterwards', async () => {
    const { amqp, ask, edges, url } = await startGateway();
    await edges.report({ e1: {} });
    const readiness = async () => (await fetch(`${url}/readyz`)).status;
    expect(await readiness()).toBe(200);
    amqp.refuse();
    amqp.cut();
    await vi.waitUntil(async () => (await readiness()) === 503, { timeout: 10_000 });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    // What it knew is good for a few seconds: clients are still sent somewhere.
    expect((await ask('?user=alice')).status).toBe(200);
    amqp.allow();
    await vi.waitUntil(async () => (await readiness()) === 200, { timeout: 15_000 });
    await vi.waitUntil(
      async () => {
        await edges.publish({ e1: { connections: 7 } });
        return (await edges.shown()).some((n) => n.connections === 7);
      },
      { timeout: 15_000, interval: 200 },
    );
  });
});

describe('GET /gateway of one that knows an edge', () => {
  const stops: (() => Promise<void>)[] = [];
  let gateway: GatewayUnderTest;
  beforeAll(async () => {
    gateway = await startGateway({}, (stop) => stops.unshift(stop));
    await gateway.edges.report({ e1: {} });
  });
  afterAll(async () => {
    for (const stop of stops) await stop();
  });

  it('keeps the session that is asked for, and says where it was', async () => {
    const { ask } = gateway;
    const placement = await placementOf(await ask('?user=alice&session=abc_-1&from=e9,e8'));
    expect(placement.session).toBe('abc_-1');
    const verdict = signer.check(placement.ticket, { name: 'e1', boot: 'b1' }, Date.now());
    expect(verdict).toMatchObject({ ok: true, claims: { sid: 'abc_-1', from: 'e9,e8' } });
    if (verdict.ok) expect(verdict.claims.isNew).toBeUndefined();
  });

  it('carries user ids that are no routing-key word encoded', async () => {
    const { ask } = gateway;
    for (const user of ['a.b', '*', '#', 'with space', 'zoë', '~odd']) {
      const { ticket } = await placementOf(await ask(`?user=${encodeURIComponent(user)}`));
      const verdict = signer.check(ticket, { name: 'e1', boot: 'b1' }, Date.now());
      expect(verdict.ok && verdict.claims.uid).toMatch(/^~[A-Za-z0-9_-]+$/);
    }
  });

  it('answers 400 for what it cannot read', async () => {
    const { ask } = gateway;
    const refused: [string, string][] = [
      [`?user=${'a'.repeat(10_240)}`, 'bad-user-id'],
      ['?user=', 'bad-user-id'],
      ['?user=a&session=x.y', 'bad-session'],
      ['?user=a&session=', 'bad-session'],
      [`?user=a&session=${'s'.repeat(65)}`, 'bad-session'],
      ['?user=a&from=e1,%23', 'bad-from'],
      [`?user=a&from=${Array(9).fill('e1').join()}`, 'bad-from'],
      ['?user=a&tried=e1,%23', 'bad-tried'],
      ['?user=a&tried=e1,', 'bad-tried'],
      [`?user=a&tried=${Array(9).fill('e1').join()}`, 'bad-tried'],
    ];
    for (const [query, code] of refused) {
      const response = await ask(query);
      expect([query.slice(0, 40), response.status]).toEqual([query.slice(0, 40), 400]);
      expect((await errorOf(response)).code).toBe(code);
    }
    expect((await ask('?user=alice')).status).toBe(200);
  });

  it('answers 401 without credentials, 404 for other paths, 405 for other methods', async () => {
    const { ask, url } = gateway;
    const unknown = await ask('');
    expect(unknown.status).toBe(401);
    expect(await errorOf(unknown)).toMatchObject({ code: 'no-credentials' });
    const missing = await fetch(`${url}/nothing`);
    expect([missing.status, (await errorOf(missing)).code]).toEqual([404, 'not-found']);
    const posted = await ask('?user=a', { method: 'POST', body: 'x'.repeat(100_000) });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    const preflight = await ask('', { method: 'OPTIONS' });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
    expect((await ask('?user=a', { method: 'HEAD' })).status).toBe(200);
    expect((await ask('', { method: 'HEAD' })).status).toBe(401);
  });

  it('serves the page and nothing else of its folder in development mode', async () => {
    const { url } = gateway;
    const page = await fetch(`${url}/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    for (const id of ['node', 'session', 'events', 'gaps', 'moves', 'rebalance', 'status', 'event-count']) {
      expect(await fetch(`${url}/`).then((r) => r.text())).toContain(`id="${id}"`);
    }
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect((await fetch(`${url}/page.js`)).headers.get('content-type')).toContain('text/javascript');
    for (const path of ['/index.html', '/../package.json', '/%2e%2e/package.json', '/constructor']) {
      expect((await fetch(`${url}${path}`)).status).toBe(404);
    }
  });

  it('closes a connection that does not finish its request', async () => {
    const { url } = gateway;
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('GET /gateway HTTP/1.1\r\nHost: a\r\n');
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 408/);
  });

  it('survives statistics that are none', async () => {
    const { ask, edges } = gateway;
    await edges.reportGarbage('e1');
    await edges.report({ e1: {} });
    expect((await ask('?user=alice')).status).toBe(200);
  });
});

describe('placement of a herd', () => {
  it('spreads 1,000 clients within one of even while statistics show none of them yet', async () => {
    const { ask, edges } = await startGateway({
      EVENKEEL_HANDSHAKES_PER_SECOND: '100000',
      EVENKEEL_NEW_SESSIONS_PER_SECOND: '100000',
    });
    const nodes: string[] = [];
    for (let batch = 0; batch < 20; batch++) {
      // Statistics go on, so that however slow the machine is no node falls silent before the others.
      await edges.report({ e1: {}, e2: {}, e3: {} });
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, i) => placementOf(await ask(`?user=u${batch}-${i}`))),
      );
      nodes.push(...answers.map((a) => a.node));
    }
    const counts = ['e1', 'e2', 'e3'].map((node) => nodes.filter((n) => n === node).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect((await edges.shown()).reduce((sum, n) => sum + n.reserved, 0)).toBe(1_000);
  });

  it('turns away what is over the ceiling, each with another time to come back', async () => {
    const { ask, edges } = await startGateway({ EVENKEEL_NEW_SESSIONS_PER_SECOND: '5' });
    await edges.report({ e1: {}, e2: {} });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => ask(`?user=u${i}`)));
    const waits = answers.filter((a) => a.status === 503).map((a) => Number(a.headers.get('retry-after')));
    expect(waits.length).toBeGreaterThanOrEqual(150);
    expect(new Set(waits).size).toBeGreaterThanOrEqual(8);
    expect(answers.some((a) => a.status === 200)).toBe(true);
    const code = await errorOf(answers.find((a) => a.status === 503) ?? new Response());
    expect(code.code).toBe('no-edge-wait');
  });
});
