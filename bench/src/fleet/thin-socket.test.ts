import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { ThinSocket } from './thin-socket.js';

let server: WebSocketServer;
let url: string;
const sockets: ThinSocket[] = [];

beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws?ticket=t`;
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.terminate();
  for (const peer of server.clients) peer.terminate();
  server.close();
});

/** A socket with what it got. */
function open(address = url, protocols: string[] = []) {
  const got: string[] = [];
  const socket = new ThinSocket(address, protocols);
  sockets.push(socket);
  let change = () => {};
  socket.onmessage = ({ data }) => {
    got.push(data);
    change();
  };
  const opened = new Promise<void>((resolve) => {
    socket.onopen = resolve;
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.onclose = resolve;
  });
  const count = async (n: number) => {
    while (got.length < n)
      await new Promise<void>((resolve) => {
        change = resolve;
      });
    return got;
  };
  return { socket, got, opened, closed, count };
}

async function pair(protocols: string[] = []) {
  const peers = once(server, 'connection') as Promise<[WebSocket]>;
  const client = open(url, protocols);
  const [peer] = await peers;
  await client.opened;
  return { ...client, peer };
}

describe('ThinSocket, against a server of another make', () => {
  it('offers its subprotocol and address', async () => {
    const requests = once(server, 'connection');
    const { opened } = open(url, ['evenkeel.v1']);
    const [peer, request] = await requests;
    await opened;
    expect(peer.protocol).toBe('evenkeel.v1');
    expect(request.url).toBe('/ws?ticket=t');
  });

  it.each([0, 1, 125, 126, 65_535, 65_536, 300_000])(
    'takes and sends texts of %d characters',
    async (size) => {
      const { socket, peer, count } = await pair();
      const text = 'ä☕x'.repeat(Math.ceil(size / 3)).slice(0, size);
      const echoed = once(peer, 'message');
      socket.send(text);
      const [bytes] = await echoed;
      expect(bytes.toString('utf8')).toBe(text);
      peer.send(text);
      peer.send('after');
      expect(await count(2)).toEqual([text, 'after']);
    },
  );

  it('answers pings', async () => {
    const { peer } = await pair();
    const pong = once(peer, 'pong');
    peer.ping('are you there');
    expect(String((await pong)[0])).toBe('are you there');
  });

  it('closes in order from either side, with code and reason', async () => {
    const first = await pair();
    const ended = once(first.peer, 'close');
    first.socket.close(1000, 'done');
    const [code, reason] = await ended;
    expect([code, String(reason)]).toEqual([1000, 'done']);
    expect((await first.closed).code).toBe(1000);
    const second = await pair();
    second.peer.close(4501, 'superseded');
    expect(await second.closed).toEqual({ code: 4501, reason: 'superseded' });
    expect(second.socket.readyState).toBe(3);
  });

  it('says 1006 when cut, when refused, and when nobody is there', async () => {
    const { peer, closed } = await pair();
    peer.terminate();
    expect((await closed).code).toBe(1006);
    const refusing = createServer((c) => c.resume().end('HTTP/1.1 503 Service Unavailable\r\n\r\n'));
    refusing.listen(0, '127.0.0.1');
    await once(refusing, 'listening');
    const { port } = refusing.address() as AddressInfo;
    expect((await open(`ws://127.0.0.1:${port}/`).closed).code).toBe(1006);
    refusing.close();
    await once(refusing, 'close');
    expect((await open(`ws://127.0.0.1:${port}/`).closed).code).toBe(1006);
  });

  it('says what was in the way when nobody is there, and dials from the address that it is given', async () => {
    const socket = new ThinSocket('ws://127.0.0.1:1/', [], '127.9.8.7');
    const [message] = await new Promise<unknown[]>((resolve) => {
      socket.onerror = (event) => resolve([event.message]);
    });
    expect(String(message)).toContain('ECONNREFUSED');
    const connection = once(server, 'connection');
    sockets.push(new ThinSocket(url, [], '127.9.8.7'));
    const [, request] = (await connection) as [WebSocket, { socket: { remoteAddress: string } }];
    expect(request.socket.remoteAddress).toBe('127.9.8.7');
  });

  it('cuts off a server that sends what it does not understand', async () => {
    const { peer, closed } = await pair();
    const ended = once(peer, 'close');
    peer.send(Buffer.from('binary'));
    expect((await ended)[0]).toBe(1002);
    expect((await closed).code).toBe(1006);
  });

  it('reads nothing while paused', async () => {
    const { socket, peer, got, count } = await pair();
    socket.pause();
    peer.send('later');
    // Sent afterwards to another socket of this process, and already here: the event loop has looked.
    const other = await pair();
    other.peer.send('now');
    expect(await other.count(1)).toEqual(['now']);
    expect(got).toEqual([]);
    socket.resume();
    expect(await count(1)).toEqual(['later']);
  });

  it('puts frames together however they are cut', async () => {
    const frames = Buffer.concat(
      ['first', 'x'.repeat(200), 'last'].map((text) => {
        const head =
          text.length < 126 ? [0x81, text.length] : [0x81, 126, text.length >> 8, text.length & 255];
        return Buffer.concat([Buffer.from(head), Buffer.from(text)]);
      }),
    );
    for (const size of [1, 2, 3, 7]) {
      const { peer, count } = await pair();
      // Below the server's own framing: `ws` would send each whole.
      const raw = (peer as unknown as { _socket: import('node:net').Socket })._socket;
      raw.setNoDelay(true);
      for (let at = 0; at < frames.length; at += size) {
        raw.write(frames.subarray(at, at + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await count(3)).toEqual(['first', 'x'.repeat(200), 'last']);
    }
  });
});
