import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { type EdgeReply, edgeReply, exchanges, replyKey } from '@evenkeel/protocol';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';

let mesh: EdgeMesh;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
});
afterAll(() => mesh.close());

/** The only session of a user, as `where` tells of it. */
async function whereabouts(
  edge: EdgeUnderTest,
  uid: string,
): Promise<EdgeReply['sessions'][number] | undefined> {
  const [reply, queue] = [randomUUID(), `reply.${randomUUID()}`];
  await mesh.topology.declareQueue({ name: queue, durable: false, exclusive: true });
  await mesh.topology.bind(queue, exchanges.control, replyKey(reply));
  const replies: EdgeReply[] = [];
  const consumer = await mesh.broker.consumers().consume(queue, {
    onDelivery: (delivery) => {
      delivery.ack();
      replies.push(edgeReply.parse(JSON.parse(delivery.body.toString('utf8'))));
    },
  });
  await mesh.command(edge.node, { command: 'where', uid, reply, ask: 'a' });
  await vi.waitUntil(() => replies.length > 0, { timeout: 10_000 });
  await consumer.cancel();
  return replies[0]?.sessions[0];
}

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
    // Whoever takes it for the gateway is told what it is.
    expect(await ask('/gateway?user=alice')).toEqual([
      404,
      expect.stringContaining('this is an edge, not the gateway'),
    ]);

    // Its session holds the drain up.
    const client = await new SessionUnderTest('healthy').attach(edge);
    const stopped = edge.member.stop();
    await vi.waitUntil(async () => (await ask('/readyz'))[0] === 503, { timeout: 10_000 });
    expect(await ask('/healthz')).toEqual([200, '']);
    client.close();
    await stopped;
  });
});

/** Opens a WebSocket by hand, with `lines` among the headers and `before` in front of all. */
async function openBare(url: string, ticket: string, lines: string[] = [], before: Buffer = Buffer.alloc(0)) {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  const head = [
    `GET ${pathname}?ticket=${ticket} HTTP/1.1`,
    `Host: ${hostname}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...lines,
    '',
    '',
  ];
  socket.write(Buffer.concat([before, Buffer.from(head.join('\r\n'))]));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 101 /);
}

/** A header of the PROXY protocol, version 2, for TCP over IPv4. */
const proxyHeader = (source: readonly number[]) =>
  Buffer.concat([
    Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', 'latin1'),
    Buffer.from([...source, 127, 0, 0, 1, 0x1f, 0x90, 0, 80]),
  ]);

/** The same over IPv6. */
const proxyHeaderV6 = (source: Buffer) =>
  Buffer.concat([
    Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24', 'latin1'),
    source,
    Buffer.alloc(16),
    Buffer.from([0x1f, 0x90, 0, 80]),
  ]);

describe('pages that may connect', () => {
  it('are those that are listed: another gets 403 before its ticket is used, and is counted', async () => {
    const edge = await mesh.edge('origins', { ORIGINS: 'https://app.example' });
    const session = new SessionUnderTest(randomUUID());
    const ticket = session.ticket(edge);
    const asPage = async (origin: string) => {
      const url = `${edge.url.replace('ws:', 'http:')}?ticket=${ticket}`;
      return new Promise<[number, string]>((resolve, reject) => {
        const headers = {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
          origin,
        };
        const sent = request(url, { headers }, (response) => {
          let text = '';
          response.on('data', (chunk) => {
            text += chunk;
          });
          response.on('end', () => resolve([response.statusCode ?? 0, text]));
        });
        sent.on('error', reject);
        sent.end();
      });
    };
    for (const origin of ['https://evil.example', 'null', 'https://app.example.evil.example']) {
      const [status, text] = await asPage(origin);
      expect([origin, status]).toEqual([origin, 403]);
      expect(text).toContain('origin-refused');
    }
    const metrics = await (await fetch(`${edge.member.opsUrl}/metrics`)).text();
    expect(metrics).toMatch(/evenkeel_origins_refused_total\{[^}]*\} 3/);
    await openBare(edge.url, ticket, ['Origin: https://app.example']);
  });
});

describe("a client's address, in `where` and in the log", () => {
  const addressSeen = async (edge: EdgeUnderTest, lines: string[] = [], before?: Buffer) => {
    const session = new SessionUnderTest(randomUUID());
    await openBare(edge.url, session.ticket(edge), lines, before);
    const opened = await vi.waitUntil(
      () => edge.lines.find((line) => line.includes('socket opened') && line.includes(session.sid)),
      { timeout: 10_000 },
    );
    const { address } = (await whereabouts(edge, session.uid)) ?? {};
    expect(JSON.parse(opened)).toMatchObject({ address });
    return address;
  };
  const client = [203, 0, 113, 7];
  const forged = 'X-Forwarded-For: 6.6.6.6';

  it("is the socket's, whatever it writes itself", async () => {
    const edge = await mesh.edge('direct', { LOG_LEVEL: 'debug' });
    expect(await addressSeen(edge, [forged, 'Forwarded: for=6.6.6.6'], proxyHeader([6, 6, 6, 6]))).toBe(
      '127.0.0.1',
    );
  });

  it('is what the trusted proxy says, in a line of its own too, or by the PROXY protocol', async () => {
    const edge = await mesh.edge('behind', { LOG_LEVEL: 'debug', TRUSTED_HOPS: '1' });
    expect(await addressSeen(edge)).toBe('127.0.0.1');
    expect(await addressSeen(edge, [`${forged}, ${client.join('.')}`])).toBe('203.0.113.7');
    expect(await addressSeen(edge, [forged, 'X-Forwarded-For: 203.0.113.7'])).toBe('203.0.113.7');
    expect(await addressSeen(edge, ['Forwarded: for="[2001:db8::42]:5100";proto=https'])).toBe(
      '2001:db8::42',
    );
    expect(await addressSeen(edge, [forged], proxyHeader(client))).toBe('203.0.113.7');
    const v6 = Buffer.from('20010db8000000000000000000000042', 'hex');
    expect(await addressSeen(edge, [forged], proxyHeaderV6(v6))).toBe('2001:db8::42');
  });
});
