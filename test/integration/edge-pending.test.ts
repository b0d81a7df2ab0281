import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { exchanges, statsKey } from '@evenkeel/protocol';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';
import { MeshListener } from '../support/mesh-listener.js';

let mesh: EdgeMesh;
let edge: EdgeUnderTest;
/** Somebody who is served all the while. */
const session = new SessionUnderTest('bystander');
const patience = { timeout: 20_000, interval: 20 };

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  edge = await mesh.edge('e1', {
    LIMIT_LOOPBACK: 'true',
    MAX_PENDING: '40',
    MAX_PENDING_PER_ADDRESS: '10',
  });
});
afterAll(() => mesh.close());

/** Connections that send half of a request line, and wait. */
class HalfOpen {
  readonly #sockets: Socket[];
  #ended = 0;
  #connected = 0;

  constructor(url: string, count: number, from: string) {
    this.#sockets = range(1, count).map(() => {
      const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', localAddress: from });
      socket.resume();
      socket.on('connect', () => {
        this.#connected += 1;
        socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nX-Half: ');
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#ended += 1;
      });
      return socket;
    });
    onTestFinished(() => this.end());
  }

  get open(): number {
    return this.#sockets.length - this.#ended;
  }

  async connected(): Promise<void> {
    await vi.waitUntil(() => this.#connected === this.#sockets.length, patience);
  }

  async left(count: number): Promise<void> {
    await vi.waitFor(() => expect(this.open).toBe(count), patience);
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

describe('connections that ask for nothing', () => {
  it('are closed at once where their address has too many, and the others get in', async () => {
    const attack = new HalfOpen(edge.url, 30, '127.0.0.2');
    await attack.left(10);
    const client = await session.attach(edge);
    await mesh.event(session, 1);
    await client.eventCount(1);
    expect(attack.open).toBe(10);
    await client.close();
  });

  it('are closed at once where there are too many in all, and after 12 s at most there is room again', async () => {
    const attacks = range(11, 15).map((n) => new HalfOpen(edge.url, 10, `127.0.0.${n}`));
    await vi.waitFor(
      () => expect(attacks.reduce((sum, { open }) => sum + open, 0)).toBeLessThanOrEqual(40),
      patience,
    );
    await Promise.all(attacks.map((attack) => attack.left(0)));
    const client = await session.attach(edge);
    await client.close();
  });

  it('do not take an edge down that cannot open any more files: its clients are served on, and others once they go', async () => {
    const limited = await mesh.edge('e2', { MAX_PENDING: '10000' });
    const { pid } = limited.member;
    const stats = await MeshListener.open(mesh.amqpUrl, exchanges.stats, statsKey('e2'));
    onTestFinished(() => stats.close());
    const client = await session.attach(limited);
    const files = readdirSync(`/proc/${pid}/fd`).length;
    execFileSync('prlimit', ['--pid', String(pid), `--nofile=${files + 20}`]);
    const attack = new HalfOpen(limited.url, 100, '127.0.0.1');
    await attack.connected();
    // Each says how much memory it uses, which takes a file.
    await stats.count(stats.deliveries.length + 3);
    await mesh.event(session, 2);
    await client.eventCount(1);
    attack.end();
    const other = await new SessionUnderTest('late').attach(limited);
    expect(limited.hasLogged('uncaught exception')).toBe(false);
    await other.close();
    await client.close();
  });
});

describe('a plain request', () => {
  const ask = async (request: string): Promise<string> => {
    const socket = connect(Number(new URL(edge.url).port), '127.0.0.1', () => socket.write(request));
    let answer = '';
    socket.on('data', (bytes: Buffer) => {
      answer += bytes.toString();
    });
    return await new Promise((resolve) => socket.on('close', () => resolve(answer)));
  };

  it('is not answered where it has two lengths, nor is what follows it', async () => {
    const answer = await ask(
      'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    expect(answer).toBe('');
  });

  it('ends its connection', async () => {
    expect(await ask('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(await ask('GET /other HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1.1 404 Not Found\r\n/);
  });
});
