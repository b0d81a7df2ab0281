import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { SlowWay } from './slow-way.js';

/** Where a proxy leads. */
export interface ProxyTarget {
  host: string;
  port: number;
}

interface Pair {
  client: Socket;
  upstream: Socket;
  /** Where each side's bytes go: to the other side, or to what holds them up on the way there. */
  up: Writable;
  down: Writable;
}

/**
 * A TCP proxy on a free port of 127.0.0.1 that can cut, freeze and refuse connections, to see what a client
 * does when the network fails. Only the faults asked for happen: bytes pass unchanged and in order.
 */
export class TcpProxy {
  readonly #target: ProxyTarget;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #isPaused = false;
  #isRefusing = false;
  #slowMs = 0;
  readonly #slowWays = new Set<SlowWay>();
  #accepted = 0;
  #onAccept: (() => void)[] = [];

  private constructor(target: ProxyTarget) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Listens and leads to `target`. Close it when done. */
  static async start(target: ProxyTarget): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  /** A proxy to the host and port of `url`. */
  static toUrl(url: string): Promise<TcpProxy> {
    const { hostname, port, protocol } = new URL(url);
    const standard = protocol === 'amqp:' ? 5672 : protocol === 'https:' || protocol === 'wss:' ? 443 : 80;
    return TcpProxy.start({ host: hostname, port: port === '' ? standard : Number(port) });
  }

  /** The port clients dial. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Open connections. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Connections accepted since the start, refused ones not counted. */
  get accepted(): number {
    return this.#accepted;
  }

  /** `url` with this proxy's address in place of its own. */
  urlFor(url: string): string {
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String(this.port);
    return through.toString();
  }

  /** Resets every open connection, both ways. New ones are accepted. Returns how many there were. */
  cut(): number {
    const count = this.#pairs.size;
    for (const { client, upstream } of this.#pairs) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
    this.#pairs.clear();
    return count;
  }

  /**
   * Resets only towards the clients, leaving the far end's connections open and silent, as a lost network
   * does: the far end finds out by its own means. Returns a function that drops those connections.
   */
  cutClients(): () => void {
    const orphans: Socket[] = [];
    for (const { client, upstream, up, down } of this.#pairs) {
      client.unpipe(up);
      upstream.unpipe(down);
      upstream.removeAllListeners('close');
      client.removeAllListeners('close');
      upstream.pause();
      client.resetAndDestroy();
      orphans.push(upstream);
    }
    this.#pairs.clear();
    return () => {
      for (const upstream of orphans) upstream.destroy();
    };
  }

  /** Freezes: bytes stop both ways, sockets stay open, new connections are accepted and frozen too. */
  pause(): void {
    this.#isPaused = true;
    for (const pair of this.#pairs) freeze(pair);
  }

  /** Lets the bytes of frozen connections pass again. */
  resume(): void {
    this.#isPaused = false;
    for (const pair of this.#pairs) join(pair);
  }

  /** Lets nothing come back from the far end until {@link TcpProxy.resume}; what clients send still arrives. */
  pauseAnswers(): void {
    for (const { upstream, down } of this.#pairs) {
      upstream.unpipe(down);
      upstream.pause();
    }
  }

  /** Holds up whatever passes, for so long a piece, both ways, and one piece after another; 0: no more. */
  slow(ms: number): void {
    this.#slowMs = ms;
    for (const way of this.#slowWays) way.holdMs = ms;
    if (ms === 0) return;
    for (const pair of this.#pairs) {
      if (pair.up !== pair.upstream) continue;
      freeze(pair);
      this.#holdUp(pair);
      if (!this.#isPaused) join(pair);
    }
  }

  /** Turns new connections away until {@link TcpProxy.allow}. Open ones stay. */
  refuse(): void {
    this.#isRefusing = true;
  }

  /** Accepts connections again. */
  allow(): void {
    this.#isRefusing = false;
  }

  /** Resolves when the number of connections ever accepted has reached `count`. */
  async whenAccepted(count: number, timeoutMs = 10_000): Promise<void> {
    const deadlineMs = Date.now() + timeoutMs;
    while (this.#accepted < count) {
      const leftMs = deadlineMs - Date.now();
      if (leftMs <= 0)
        throw new Error(`Only ${this.#accepted} of ${count} connections came in ${timeoutMs} ms.`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#onAccept.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Cuts everything and stops listening. */
  async close(): Promise<void> {
    this.refuse();
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    client.on('error', () => {});
    if (this.#isRefusing) {
      client.resetAndDestroy();
      return;
    }
    const upstream = dial(this.#target);
    upstream.on('error', () => {});
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    const pair: Pair = { client, upstream, up: upstream, down: client };
    if (this.#slowMs > 0) this.#holdUp(pair);
    this.#pairs.add(pair);
    this.#accepted++;
    client.on('close', () => this.#end(pair, upstream));
    upstream.on('close', () => this.#end(pair, client));
    if (this.#isPaused) freeze(pair);
    else join(pair);
    for (const notify of this.#onAccept.splice(0)) notify();
  }

  #holdUp(pair: Pair): void {
    const [up, down] = [new SlowWay(this.#slowMs), new SlowWay(this.#slowMs)];
    up.pipe(pair.upstream);
    down.pipe(pair.client);
    for (const way of [up, down]) {
      this.#slowWays.add(way);
      way.once('close', () => this.#slowWays.delete(way));
    }
    Object.assign(pair, { up, down });
  }

  #end(pair: Pair, other: Socket): void {
    for (const way of [pair.up, pair.down]) if (way instanceof SlowWay) way.destroy();
    this.#pairs.delete(pair);
    other.destroy();
  }
}

/** Also one that is joined already: what is piped twice arrives twice. */
function join({ client, upstream, up, down }: Pair): void {
  client.unpipe(up);
  upstream.unpipe(down);
  client.pipe(up);
  upstream.pipe(down);
}

function freeze({ client, upstream, up, down }: Pair): void {
  client.unpipe(up);
  upstream.unpipe(down);
  client.pause();
  upstream.pause();
}
