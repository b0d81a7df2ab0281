import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { exchanges } from '@evenkeel/protocol';
import { RawClient } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';
import { SseClient, sseUrl } from '../support/sse-client.js';

const page = 'https://shop.example';

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  const env = { SETTLE_TIMEOUT_MS: '400', TAKEOVER_RETRY_MS: '200', WINDOW: '512', LIMIT_LOOPBACK: 'true' };
  [a, b] = await Promise.all([
    mesh.edge('a', env),
    mesh.edge('b', { ...env, ORIGINS: page, HEARTBEAT_MS: '1000', SLOW_CONSUMER_MS: '4000' }),
  ]);
});
afterAll(() => mesh.close());

async function attach(
  session: SessionUnderTest,
  edge: EdgeUnderTest,
  hello: object = {},
): Promise<SseClient> {
  const client = await SseClient.open(edge.url, session.ticket(edge));
  expect(await client.send({ t: 'hello', ...hello })).toBe(204);
  await client.frame('welcome');
  return client;
}

describe('a client by server-sent events', () => {
  it('has events, topics, answers and acknowledgements as one by WebSocket', async () => {
    const session = new SessionUnderTest('sse-all');
    const client = await attach(session, a, { topics: ['sse.news'] });
    await mesh.numbers(session, 1, 20);
    await client.eventCount(20);
    expect(client.data).toEqual(range(1, 20));
    await mesh.message('sse.news', { zoë: 'é\n' });
    expect(await client.frame('message')).toMatchObject({ topic: 'sse.news', data: { zoë: 'é\n' } });
    await client.send({ t: 'ping' }, { t: 'request', id: '1', method: 'nobody.here' });
    await client.frame('pong');
    expect(await client.frame('error')).toMatchObject({ re: '1', code: 'no-service' });
    await client.send({ t: 'unsubscribe', id: '2', topic: 'sse.news' });
    await client.frame('ok');
    await a.unacked(0);
    await client.send({ t: 'bye' });
    expect(await client.over()).toEqual({ code: 1000, reason: 'ended' });
  });

  it('gets a body with line breaks as it is', async () => {
    const session = new SessionUnderTest('sse-lines');
    const client = await attach(session, a);
    const body = '{\r\n  "a": 1,\n  "b": [\r 2 ]\n}';
    await mesh.publisher.publish(exchanges.events, `user.${session.uid}.n`, body, {
      contentType: 'application/json',
      messageId: 'lines',
    });
    await client.eventCount(1);
    expect(client.data).toEqual([{ a: 1, b: [2] }]);
    client.terminate();
  });

  it('comes back by either way, and has what it did not acknowledge', async () => {
    const session = new SessionUnderTest('sse-back');
    const first = await attach(session, a);
    first.acks = false;
    await mesh.numbers(session, 1, 3);
    await first.eventCount(3);
    first.terminate();
    const second = await session.attach(a, { resume: true });
    await second.eventCount(3);
    expect(second.frames[0]).toMatchObject({ t: 'welcome', resumed: true });
    second.terminate();
    await mesh.numbers(session, 4, 5);
    const third = await attach(session, b, { resume: true });
    await third.eventCount(2);
    expect(third.data).toEqual([4, 5]);
    third.terminate();
  });

  it('is superseded by a newer connection, and told so as the last event', async () => {
    const session = new SessionUnderTest('sse-two');
    const first = await attach(session, a);
    const second = await session.attach(a, { resume: true });
    expect(await first.over()).toMatchObject({ code: 4501, reason: 'superseded' });
    await second.close();
  });

  it('moves from stream to stream: each event once and in order, moved is the last frame there', async () => {
    const session = new SessionUnderTest('sse-mover');
    const first = await attach(session, a);
    await mesh.numbers(session, 1, 5);
    await first.eventCount(5);
    const { url, ticket } = await mesh.askToMove(session, first, a, b);
    const second = await SseClient.open(url, ticket);
    await mesh.numbers(session, 6, 8);
    await second.send({ t: 'hello', resume: true });
    await second.frame('welcome');
    await first.frame('moved');
    await mesh.numbers(session, 9, 12);
    await vi.waitUntil(() => first.events.length + second.events.length >= 12, { timeout: 10_000 });
    expect([...first.data, ...second.data]).toEqual(range(1, 12));
    expect(first.kinds.at(-1)).toBe('moved');
    expect(second.kinds).not.toContain('gap');
    first.terminate();
    second.terminate();
  });
});

describe('what is posted', () => {
  it('counts for nobody who does not know the connection, whatever else he knows', async () => {
    const session = new SessionUnderTest('sse-theft');
    const client = await attach(session, a);
    const welcome = await client.frame('welcome');
    const bye = JSON.stringify({ t: 'bye' });
    const guesses = [String(welcome.connection), session.sid, session.key, 'a.', `${client.connection}x`];
    for (const guess of guesses) {
      const { status } = await client.post(bye, '', guess);
      expect([404, 421]).toContain(status);
    }
    // Nor for a WebSocket.
    const socket = await session.attach(a, { resume: true });
    expect((await client.post(bye, '', String((await socket.frame('welcome')).connection))).status).toBe(421);
    await socket.pinged();
    await socket.close();
  });

  it('is taken once and in order by its number', async () => {
    const session = new SessionUnderTest('sse-order');
    const client = await SseClient.open(a.url, session.ticket(a));
    const [hello, ping] = [JSON.stringify({ t: 'hello' }), JSON.stringify({ t: 'ping' })];
    expect((await client.post(ping, '?n=2')).status).toBe(409);
    expect((await client.post(hello, '?n=1')).status).toBe(204);
    // A second hello would close the connection.
    expect((await client.post(hello, '?n=1')).status).toBe(204);
    expect((await client.post(ping, '?n=2')).status).toBe(204);
    expect((await client.post(ping, '?n=x')).status).toBe(400);
    await client.frame('pong');
    expect(client.kinds.filter((t) => t === 'pong')).toHaveLength(1);
    client.terminate();
  });

  it('closes as on a WebSocket where it breaks the protocol', async () => {
    const session = new SessionUnderTest('sse-bad');
    const bad = await attach(session, a);
    await bad.post('nonsense');
    expect(await bad.over()).toMatchObject({ code: 4500, reason: 'bad-frame' });
    const long = await attach(session, a, { resume: true });
    await long.post(JSON.stringify({ t: 'ping', more: 'x'.repeat(70_000) }));
    expect(await long.over()).toMatchObject({ code: 1009 });
    const longer = await attach(session, a, { resume: true });
    expect((await longer.post('x'.repeat(140_000))).status).toBe(413);
    expect(await longer.over()).toMatchObject({ code: 1009 });
    expect((await longer.post('{"t":"ping"}')).status).toBe(404);
  });

  it('is told to be elsewhere where it comes to another edge', async () => {
    const client = await attach(new SessionUnderTest('sse-elsewhere'), a);
    const response = await fetch(`${sseUrl(b.url)}/${client.connection}`, { method: 'POST', body: '' });
    expect(response.status).toBe(421);
    client.terminate();
  });

  it('goes on for as long as the stream, though each post is a connection of its own', async () => {
    const session = new SessionUnderTest('sse-many');
    const client = await attach(session, a);
    // More than may wait of one address.
    for (const _ of range(1, 300)) expect(await client.send({ t: 'ping' })).toBe(204);
    await vi.waitUntil(() => client.kinds.filter((t) => t === 'pong').length >= 1, { timeout: 10_000 });
    client.terminate();
  });
});

describe('an edge that is asked for a stream', () => {
  it('answers by HTTP what it answers to an upgrade', async () => {
    const session = new SessionUnderTest('sse-refused');
    const ticket = session.ticket(a);
    const first = await SseClient.open(a.url, ticket);
    for (const shown of [ticket, 'nonsense', '']) {
      const refused = await SseClient.open(a.url, shown);
      expect(refused.response.status).toBe(401);
    }
    await expect(RawClient.open(a.url, ticket)).rejects.toMatchObject({ status: 401 });
    first.terminate();
  });

  it('tells a ticket of another edge where that is', async () => {
    const session = new SessionUnderTest('sse-wrong');
    const boot = (await b.stats()).boot;
    const client = await SseClient.open(a.url, session.ticket(b, { boot }));
    expect(await client.over()).toEqual({ code: 4010, reason: b.url });
  });

  it('takes pages that are listed and no others, and says so to browsers', async () => {
    const session = new SessionUnderTest('sse-page');
    const ticket = session.ticket(b);
    const evil = await SseClient.open(b.url, ticket, { origin: 'https://evil.example' });
    expect(evil.response.status).toBe(403);
    const client = await SseClient.open(b.url, ticket, { origin: page });
    expect(client.response.headers.get('access-control-allow-origin')).toBe(page);
    const post = (origin: string) =>
      fetch(`${sseUrl(b.url)}/${client.connection}`, {
        method: 'POST',
        headers: { origin },
        body: '{"t":"hello"}',
      });
    expect((await post('https://evil.example')).status).toBe(403);
    expect((await post(page)).headers.get('access-control-allow-origin')).toBe(page);
    await client.frame('welcome');
    const preflight = await fetch(`${sseUrl(b.url)}/x`, { method: 'OPTIONS', headers: { origin: page } });
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([
      204,
      'GET, POST, OPTIONS',
    ]);
    client.terminate();
  });

  it('says something once a heartbeat, and takes a client that says nothing for lost', async () => {
    const session = new SessionUnderTest('sse-silent');
    const client = await attach(session, b);
    await vi.waitUntil(() => client.comments >= 2, { timeout: 10_000 });
    await client.over();
    expect(client.closed).toBeUndefined();
    await vi.waitUntil(async () => (await b.stats()).connections === 0, { timeout: 10_000 });
  });
});

describe('a client that does not read its stream', () => {
  it('is written to no further than the high watermark, and loses nothing when it reads again', async () => {
    const session = new SessionUnderTest('sse-slow');
    const client = await attach(session, a);
    client.freeze();
    const big = 'x'.repeat(60_000);
    for (const n of range(1, 300)) await mesh.event(session, { n, big });
    await vi.waitUntil(async () => (await a.stats()).unacked >= 250, { timeout: 30_000 });
    client.thaw();
    await client.eventCount(300);
    expect(client.data.map((each) => (each as { n: number }).n)).toEqual(range(1, 300));
    expect(client.kinds).not.toContain('gap');
    client.terminate();
  });
});

describe('curl', () => {
  it('is a client', async () => {
    const session = new SessionUnderTest('sse-curl');
    const url = sseUrl(a.url);
    const curl = spawn('curl', ['-sN', `${url}?ticket=${session.ticket(a)}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void curl.kill());
    const lines: string[] = [];
    createInterface({ input: curl.stdout }).on('line', (line) => lines.push(line));
    const line = (what: string) =>
      vi.waitUntil(() => lines.find((each) => each.includes(what)), { timeout: 10_000 });
    const { connection } = JSON.parse((await line('"connection":"a.')).slice(6)) as { connection: string };
    const post = (frame: string) => promisify(execFile)('curl', ['-s', '-d', frame, `${url}/${connection}`]);
    await post('{"t":"hello"}');
    await line('"t":"welcome"');
    await mesh.event(session, 'ahoy');
    await line('"data":"ahoy"');
    await post('{"t":"ack","seq":1}\n{"t":"bye"}');
    expect(await line('"reason":"ended"')).toBe('data: {"code":1000,"reason":"ended"}');
  });
});
