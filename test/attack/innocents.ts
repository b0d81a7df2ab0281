import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '@evenkeel/client';
import { createPublisher, type Publisher } from '@evenkeel/publisher';
import { ask } from './http.js';
import { Peer, type Place } from './peer.js';
import { jwt, nowS } from './token.js';

const clients = 20;
const eventsPerSecond = 15;
const attachEveryMs = 200;
const attachTimeoutMs = 10_000;

/** What innocent clients felt meanwhile. */
export interface Felt {
  readonly events: number;
  /** From publishing to the handler, ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly attaches: number;
  readonly attachP50Ms: number;
  readonly attachMaxMs: number;
  readonly attachesFailed: number;
  /** Why the first of them failed. */
  readonly failure: string | undefined;
  /** Innocent clients that were told of a gap, or closed for good. */
  readonly troubled: number;
}

/** Clients that do nobody any harm: some are connected all the time and get events, others come in and go. */
export class Innocents {
  readonly #gateway: string;
  readonly #jwtSecret: string;
  readonly #publisher: Publisher;
  readonly #clients: Client[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #delays: number[] = [];
  #attaches: number[] = [];
  #failures: string[] = [];
  #troubled = 0;
  #came = 0;

  private constructor(gateway: string, jwtSecret: string, publisher: Publisher) {
    this.#gateway = gateway;
    this.#jwtSecret = jwtSecret;
    this.#publisher = publisher;
  }

  static async start(gateway: string, amqpUrl: string, jwtSecret: string): Promise<Innocents> {
    const publisher = await createPublisher({ amqpUrl, name: 'demo' });
    const innocents = new Innocents(gateway, jwtSecret, publisher);
    await innocents.#connect();
    return innocents;
  }

  #token(user: string): string {
    return jwt({ sub: user, exp: nowS() + 3600 }, this.#jwtSecret);
  }

  async #connect(): Promise<void> {
    for (let n = 0; n < clients; n++) {
      const user = `innocent-${n}`;
      const client = connect({ gateway: this.#gateway, getToken: () => this.#token(user), storage: false });
      client.on('tick', ({ data }) => {
        this.#delays.push(performance.now() - (data as { at: number }).at);
      });
      client.on('tock', () => undefined);
      client.onStatus(({ type }) => {
        if (type === 'gap' || type === 'closed') this.#troubled++;
      });
      this.#clients.push(client);
    }
    for (let waited = 0; this.#clients.some(({ state }) => state !== 'connected'); waited += 50) {
      if (waited > 30_000) throw new Error('innocent clients did not get in within 30 s');
      await sleep(50);
    }
    let next = 0;
    const publish = (): void => {
      const user = `innocent-${next++ % clients}`;
      void this.#publisher.toUser(user, 'tick', { at: performance.now() }).catch(() => undefined);
    };
    this.#timers.push(setInterval(publish, 1000 / (clients * eventsPerSecond)));
    this.#timers.push(setInterval(() => void this.#attach(), attachEveryMs));
  }

  /** Begins to measure; the function returned ends it. */
  measure(): () => Felt {
    this.#delays = [];
    this.#attaches = [];
    this.#failures = [];
    this.#troubled = 0;
    return () => ({
      events: this.#delays.length,
      p50Ms: quantile(this.#delays, 0.5),
      p99Ms: quantile(this.#delays, 0.99),
      attaches: this.#attaches.length,
      attachP50Ms: quantile(this.#attaches, 0.5),
      attachMaxMs: quantile(this.#attaches, 1),
      attachesFailed: this.#failures.length,
      failure: this.#failures[0],
      troubled: this.#troubled,
    });
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const client of this.#clients) client.close();
    await this.#publisher.close();
  }

  /** A new user comes in, and goes again. */
  async #attach(): Promise<void> {
    const beganAt = performance.now();
    // Others' measures do not begin with what is left of this one.
    const [attaches, failures] = [this.#attaches, this.#failures];
    const user = `passer-${++this.#came}`;
    const headers = { authorization: `Bearer ${this.#token(user)}` };
    const found = await ask(`${this.#gateway}/gateway`, { headers, timeoutMs: attachTimeoutMs });
    if (found.status !== 200) {
      failures.push(`gateway ${found.status} ${found.code}`);
      return;
    }
    const place = found.body as unknown as Place;
    const peer = new Peer(`${place.url}?ticket=${place.ticket}`);
    const isThere = () => peer.of('welcome').length > 0;
    const isOpen = await peer.until(() => peer.isOpen || peer.refused !== undefined, attachTimeoutMs);
    if (isOpen) peer.send({ t: 'hello', ...(place.pass !== undefined && { pass: place.pass }) });
    await peer.until(isThere, attachTimeoutMs);
    if (isThere()) attaches.push(performance.now() - beganAt);
    else failures.push(`edge ${peer.refused ?? peer.closed?.code ?? 'says nothing'}`);
    peer.send({ t: 'bye' });
    await peer.until(() => false, 1000);
    peer.drop();
  }
}

/** Zero when there are none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
