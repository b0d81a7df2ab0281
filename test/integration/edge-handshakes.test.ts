import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';
import { metric } from '../support/metric.js';

const limits = {
  LIMIT_LOOPBACK: 'true',
  HANDSHAKES_PER_SECOND: '1',
  HANDSHAKES_BURST: '200',
  USER_HANDSHAKES_PER_SECOND: '1',
  USER_HANDSHAKES_BURST: '3',
};

let mesh: EdgeMesh;
let edge: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  edge = await mesh.edge('e1', limits);
});
afterAll(() => mesh.close());

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly retryAfter: number;
}

const upgradeHeaders = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-protocol': 'evenkeel.v1',
};

/** How an upgrade is answered that comes from there; who is let in goes at once. */
function upgrade(
  { url }: EdgeUnderTest,
  ticket: string,
  from: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const address = `${url.replace('ws:', 'http:')}?ticket=${ticket}`;
  return new Promise((resolve, reject) => {
    const sent = request(address, { headers: { ...upgradeHeaders, ...headers }, localAddress: from });
    sent.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve({ status: 101, code: '', retryAfter: 0 });
    });
    sent.on('response', (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => {
        const { error } = JSON.parse(text) as { error: { code: string } };
        const retryAfter = Number(response.headers['retry-after'] ?? 0);
        resolve({ status: response.statusCode ?? 0, code: error.code, retryAfter });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

const junk = async (to: EdgeUnderTest, count: number, from: string, headers?: Record<string, string>) => {
  const answers: Answer[] = [];
  for (let n = 0; n < count; n += 1) answers.push(await upgrade(to, `noise-${n}`, from, headers));
  return answers;
};

it('an address that shows junk is answered 429 instead of 401 without end; good tickets from there, and others, get in', async () => {
  const answers = await junk(edge, 20, '127.0.0.2');
  expect(answers.slice(0, 5).map(({ status, code }) => `${status} ${code}`)).toEqual(
    range(1, 5).map(() => '401 ticket-malformed'),
  );
  const limited = answers.filter(({ status }) => status === 429);
  expect(limited.length).toBeGreaterThanOrEqual(14);
  expect(limited[0]).toMatchObject({ code: 'rate-limited', retryAfter: expect.any(Number) });
  expect(limited.every(({ retryAfter }) => retryAfter >= 1)).toBe(true);
  expect(await upgrade(edge, new SessionUnderTest('alice').ticket(edge), '127.0.0.2')).toMatchObject({
    status: 101,
  });
  expect(await junk(edge, 1, '127.0.0.3')).toMatchObject([{ status: 401 }]);
  expect(await metric(edge.member, 'evenkeel_handshakes_limited_total', { by: 'address' })).toBe(
    limited.length,
  );
  expect(await metric(edge.member, 'evenkeel_limit_hits_total', { limit: 'handshakesPerSecond' })).toBe(
    limited.length,
  );
  expect(edge.hasLogged('address-rate')).toBe(true);
});

it('a user gets so many sockets a second, from wherever: more are answered 429, and planned moves do not count', async () => {
  const answers: Answer[] = [];
  for (let n = 0; n < 5; n += 1)
    answers.push(await upgrade(edge, new SessionUnderTest('mallory').ticket(edge), `127.0.0.${10 + n}`));
  expect(answers.map(({ status }) => status)).toEqual([101, 101, 101, 429, 429]);
  expect(answers.at(-1)?.retryAfter).toBeGreaterThanOrEqual(1);
  const moved = new SessionUnderTest('mallory').ticket(edge, { move: 'm.1', from: 'e9' });
  expect(await upgrade(edge, moved, '127.0.0.20')).toMatchObject({ status: 101 });
  expect(await metric(edge.member, 'evenkeel_handshakes_limited_total', { by: 'user' })).toBe(2);
});

it('behind a trusted proxy the address is that of its client', async () => {
  const behind = await mesh.edge('e2', { ...limits, TRUSTED_HOPS: '1' });
  const of = (client: string) => ({ 'x-forwarded-for': client });
  const answers = await junk(behind, 10, '127.0.0.1', of('203.0.113.7'));
  expect(answers.map(({ status }) => status)).toEqual([
    ...range(1, 5).map(() => 401),
    ...range(1, 5).map(() => 429),
  ]);
  expect(await junk(behind, 1, '127.0.0.1', of('203.0.113.8'))).toMatchObject([{ status: 401 }]);
});

it('streams of server-sent events count as sockets', async () => {
  const ask = () => fetch(`${edge.url.replace('ws:', 'http:').replace(/\/ws$/, '')}/sse?ticket=noise`);
  const statuses: number[] = [];
  for (let n = 0; n < 8; n += 1) {
    const answer = await ask();
    statuses.push(answer.status);
    if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    await answer.text();
  }
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
});

it('an upgrade with two lengths is not answered, nor is what follows it, and its ticket stays good', async () => {
  const session = new SessionUnderTest('two-lengths');
  const ticket = session.ticket(edge);
  const { port } = new URL(edge.url);
  const socket = connect(Number(port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  const lines = Object.entries(upgradeHeaders).map(([name, value]) => `${name}: ${value}`);
  const head = [`GET /ws?ticket=${ticket} HTTP/1.1`, 'Host: x', ...lines];
  const lengths = ['Content-Length: 0', 'Content-Length: 40', '', ''];
  socket.write(`${[...head, ...lengths].join('\r\n')}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(socket, 'close');
  expect(text).toBe('');
  expect(await upgrade(edge, ticket, '127.0.0.1')).toMatchObject({ status: 101 });
});
