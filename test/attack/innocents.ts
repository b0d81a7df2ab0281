import { type Client, connect } from '@evenkeel/client';
import { createPublisher, type Publisher } from '@evenkeel/publisher';
import { eventually, jwt, nowS } from '@evenkeel/testkit';
import { ask } from './http.js';
import { Peer, type Place } from './peer.js';

const clients = 20;
const eventsPerSecond = 15;
const attachEveryMs = 200;
const attachTimeoutMs = 10_000;
/** What innocent clients felt meanwhile. What has not come by the end counts with the time that it has waited. */
export interface Felt {
  readonly published: number;
  /** Those of them that came. */
  readonly events: number;
  /** From publishing to the handler, ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Attaches that began. */
  readonly begun: number;
  /** Those of them that ended well. */
  readonly attaches: number;
  readonly attachP50Ms: number;
  readonly attachMaxMs: number;
  readonly attachesFailed: number;
  /** Why the first of them failed. */
  readonly failure: string | undefined;
  /** Innocent clients that were told of a gap, or closed for good. */
  readonly troubled: number;
}

/** One measure: what began in it belongs to it, whenever it ends. */
class Measure {
  published = 0;
  begun = 0;
  readonly delays: number[] = [];
  readonly attaches: number[] = [];
  readonly failures: string[] = [];
  /** When what is under way began: events by number, attaches by user. */
  readonly coming = new Map<number, number>();
  readonly attaching = new Map<string, number>();

  get isSettled(): boolean {
    return this.coming.size === 0 && this.attaching.size === 0;
  }

  felt(troubled: number): Felt {
    const nowMs = performance.now();
    const ages = (since: Map<unknown, number>): number[] => [...since.values()].map((at) => nowMs - at);
    const delays = [...this.delays, ...ages(this.coming)];
    const attaches = [...this.attaches, ...ages(this.attaching)];
    return {
      published: this.published,
      events: this.delays.length,
      p50Ms: quantile(delays, 0.5),
      p99Ms: quantile(delays, 0.99),
      begun: this.begun,
      attaches: this.attaches.length,
      attachP50Ms: quantile(attaches, 0.5),
      attachMaxMs: quantile(attaches, 1),
      attachesFailed: this.failures.length,
      failure: this.failures[0],
      troubled,
    };
  }
}

/** Clients that do nobody any harm: some are connected all the time and get events, others come in and go. */
export class Innocents {
  readonly #gateway: string;
  readonly #jwtSecret: string;
  readonly #publisher: Publisher;
  readonly #clients: Client[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #measure = new Measure();
  /** The measure of each event that has not come. */
  readonly #measureOf = new Map<number, Measure>();
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
        this.#delivered((data as { n: number }).n);
      });
      client.on('tock', () => undefined);
      client.onStatus(({ type }) => {
        if (type === 'gap' || type === 'closed') this.#troubled++;
      });
      this.#clients.push(client);
    }
    await Promise.all(this.#clients.map((client) => client.ready({ timeoutMs: 30_000 })));
    let next = 0;
    const publish = (): void => {
      const n = next++;
      this.#measure.published++;
      this.#measure.coming.set(n, performance.now());
      this.#measureOf.set(n, this.#measure);
      // What is not published does not come either, and is counted so.
      void this.#publisher.toUser(`innocent-${n % clients}`, 'tick', { n }).catch(() => undefined);
    };
    this.#timers.push(setInterval(publish, 1000 / (clients * eventsPerSecond)));
    this.#timers.push(setInterval(() => void this.#attach(), attachEveryMs));
  }

  #delivered(n: number): void {
    const measure = this.#measureOf.get(n);
    const publishedAt = measure?.coming.get(n);
    if (publishedAt !== undefined) measure?.delays.push(performance.now() - publishedAt);
    measure?.coming.delete(n);
    this.#measureOf.delete(n);
  }

  /** Begins to measure; the function returned ends it, and waits so long for what is under way. */
  measure(settleMs: number): () => Promise<Felt> {
    const measure = new Measure();
    this.#measure = measure;
    const troubledBefore = this.#troubled;
    return async () => {
      this.#measure = new Measure();
      await eventually('all has come', () => measure.isSettled, settleMs).catch(() => undefined);
      const felt = measure.felt(this.#troubled - troubledBefore);
      for (const [n, of] of this.#measureOf) if (of === measure) this.#measureOf.delete(n);
      return felt;
    };
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
    const measure = this.#measure;
    const user = `passer-${++this.#came}`;
    measure.begun++;
    measure.attaching.set(user, beganAt);
    const ended = (failure?: string): void => {
      if (failure === undefined) measure.attaches.push(performance.now() - beganAt);
      else measure.failures.push(failure);
      measure.attaching.delete(user);
    };
    const headers = { authorization: `Bearer ${this.#token(user)}` };
    const found = await ask(`${this.#gateway}/gateway`, { headers, timeoutMs: attachTimeoutMs });
    if (found.status !== 200) {
      ended(`gateway ${found.status} ${found.code}`);
      return;
    }
    const place = found.body as unknown as Place;
    const peer = new Peer(`${place.url}?ticket=${place.ticket}`);
    const isThere = () => peer.of('welcome').length > 0;
    const isOpen = await peer.until(() => peer.isOpen || peer.refused !== undefined, attachTimeoutMs);
    if (isOpen) peer.send({ t: 'hello', ...(place.pass !== undefined && { pass: place.pass }) });
    await peer.until(isThere, attachTimeoutMs);
    ended(isThere() ? undefined : `edge ${peer.refused ?? peer.closed?.code ?? 'says nothing'}`);
    peer.send({ t: 'bye' });
    await peer.until(() => false, 1000);
    peer.drop();
  }
}

/** Zero when there are none. */
function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
