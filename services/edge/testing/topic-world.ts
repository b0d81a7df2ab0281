import { matches } from '@evenkeel/access';
import type { Publisher } from '@evenkeel/broker';
import { OwnQueue } from '@evenkeel/mesh';
import { exchanges, type GapReason, topicKey } from '@evenkeel/protocol';
import { gapFrame } from '../src/frame/frames.js';
import { Subscriptions } from '../src/session/subscriptions.js';
import { TopicHub } from '../src/topic/hub.js';
import type { Connection } from '../src/transport/connection.js';
import { openAccess } from './access-world.js';
import { FakeTopicBroker, type Line, lines } from './topic-broker.js';

/** Small, so that it overflows. */
export const maxLength = 24;
const prefetch = 4;
const fenceTimeoutMs = 1_000;
/** Longer than a topic lingers, and than anything waits. */
const longMs = 40_000;

/** A message, and when it was published: in this world time is a count of what has happened. */
interface Published {
  readonly n: number;
  readonly at: number;
}

/** A stretch of time in which a client is owed every message of a topic: from its `ok` on. */
interface Claim {
  readonly topic: string;
  readonly from: number;
  until: number;
}

interface Frame {
  readonly t: string;
  readonly topic?: string;
  readonly re?: string;
  readonly data?: number;
  readonly reason?: GapReason;
  readonly at: number;
}

const never = Number.POSITIVE_INFINITY;

/** One client: what it asked for, what it got, and what it is owed. */
export class Client {
  readonly name: string;
  readonly frames: Frame[] = [];
  readonly claims: Claim[] = [];
  /** Topics asked for and not left; `undefined` until the request was answered. */
  readonly wants = new Map<string, Claim | undefined>();
  readonly unanswered = new Map<string, string>();
  readonly listensTo = new Set<string>();
  readonly subscriptions: Subscriptions;
  isOpen = true;
  isMoving = false;
  readonly #world: World;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    const connection = {
      claims: { uid: name, sid: name },
      sendMessage: (frame: string) => this.receive(frame),
      subscribe: (topic: string) => this.listensTo.add(topic),
      unsubscribe: (topic: string) => this.listensTo.delete(topic),
    } as unknown as Connection;
    this.subscriptions = new Subscriptions(connection, world.hub, {
      presence: { joined() {}, wants() {}, ended() {}, over() {} },
      access: openAccess(),
      limit: 10,
      send: (text) => this.receive(text),
      onLimit: () => {},
      gap: (reason, topic) => this.receive(gapFrame(reason, topic)),
    });
  }

  receive(text: string): void {
    if (!this.isOpen) return;
    const frame: Frame = { ...JSON.parse(text), at: this.#world.tick() };
    this.frames.push(frame);
    const { topic: of } = frame;
    const isWanted = of === undefined || [...this.wants.keys()].some((name) => matches(name, of));
    if (!isWanted) {
      throw new Error(`${this.name} got ${text} after it had left`);
    }
    if (frame.t !== 'ok' && frame.t !== 'error') return;
    const topic = this.unanswered.get(frame.re ?? '');
    if (topic === undefined) throw new Error(`${this.name} got a second answer: ${text}`);
    this.unanswered.delete(frame.re ?? '');
    if (!this.wants.has(topic)) return;
    if (frame.t === 'error') this.wants.delete(topic);
    else if (this.wants.get(topic) === undefined) this.#own(topic, frame.at);
  }

  /** What the edge says with `ok`, or with `welcome` to the topics of a hello. */
  #own(topic: string, from: number): void {
    const claim = { topic, from, until: never };
    this.claims.push(claim);
    this.wants.set(topic, claim);
  }

  subscribe(topic: string): void {
    const id = `${this.name}-${this.#world.tick()}`;
    this.unanswered.set(id, topic);
    if (!this.wants.has(topic)) this.wants.set(topic, undefined);
    void this.subscriptions.join({ topic }, id);
  }

  unsubscribe(topic: string): void {
    this.subscriptions.leave(topic);
    this.#left(topic);
  }

  close(): void {
    this.isOpen = false;
    this.subscriptions.leaveAll();
    for (const topic of [...this.wants.keys()]) this.#left(topic);
  }

  /** Leaves as in a planned move: what was published before is to come first. */
  async move(): Promise<void> {
    if (!this.isOpen || this.isMoving) return;
    this.isMoving = true;
    const at = this.#world.tick();
    await this.subscriptions.settle(fenceTimeoutMs, { session: this.name, to: 'b' });
    for (const claim of this.wants.values()) if (claim) this.#world.demand(this, claim, at);
    this.close();
  }

  #left(topic: string): void {
    const claim = this.wants.get(topic);
    if (claim) claim.until = this.#world.tick();
    this.wants.delete(topic);
  }
}

/** An edge's topics, the broker under them and clients on top, with a record of what was published when. */
export class World {
  /** Set: of topics that are new on the edge, what waits for its turn. */
  turns: (() => boolean)[] | undefined;
  readonly broker = new FakeTopicBroker();
  readonly hub: TopicHub;
  readonly clients: Client[] = [];
  readonly published = new Map<string, Published[]>();
  readonly #queue: { current: OwnQueue | undefined } = { current: undefined };
  #moves = 0;
  #moving = 0;
  #now = 0;
  #messages = 0;
  /** Something went wrong that may cost messages. */
  hasFaults = false;
  /** What a look shows. */
  areBound = true;

  constructor() {
    this.hub = new TopicHub({
      mesh: {
        ownQueue: (options) => {
          this.#queue.current = new OwnQueue(this.broker, { ...options, random: () => 0.5 });
          return this.#queue.current;
        },
        publisher: this.broker.publisher as unknown as Publisher,
      },
      node: 'n',
      boot: 'b',
      maxEventBytes: 1_000,
      isEdge: () => true,
      areBound: async () => this.areBound,
      pace: {
        turn: (_uid, take, isNeeded) => {
          const run = () => {
            const isTurn = isNeeded();
            if (isTurn) take();
            return isTurn;
          };
          if (this.turns === undefined) take();
          else this.turns.push(run);
          return true;
        },
      },
      publish: (topic, frame) => {
        for (const client of this.clients) if (client.listensTo.has(topic)) client.receive(frame);
      },
      onMark: () => {},
      onGap: () => {},
      now: () => 0,
      log: { debug() {}, info() {}, warn() {}, error() {}, fatal() {}, trace() {} } as never,
      limits: { maxLength, prefetch },
      monotonicNow: () => this.tick(),
    });
  }

  tick(): number {
    this.#now += 1;
    return this.#now;
  }

  async start(): Promise<void> {
    await this.#ends(this.hub.start(), 'start');
  }

  async stop(): Promise<void> {
    await this.#ends(this.hub.stop(), 'stop');
  }

  async #ends(work: Promise<void>, what: string): Promise<void> {
    let hasEnded = false;
    const ended = work.finally(() => {
      hasEnded = true;
    });
    await this.drain();
    if (!hasEnded) throw new Error(`${what} does not end`);
    await ended;
  }

  open(topics: readonly string[]): Client {
    const client = new Client(this, `c${this.clients.length}`);
    this.clients.push(client);
    for (const topic of topics) client.subscribe(topic);
    return client;
  }

  publish(topic: string, count: number): void {
    let all = this.published.get(topic);
    if (!all) {
      all = [];
      this.published.set(topic, all);
    }
    for (let i = 0; i < count; i++) {
      this.#messages += 1;
      all.push({ n: this.#messages, at: this.tick() });
      this.broker.publish(exchanges.events, topicKey(topic), String(this.#messages));
    }
  }

  move(client: Client): void {
    this.#moves += 1;
    this.#moving += 1;
    void client.move().then(
      () => {
        this.#moving -= 1;
      },
      (error: unknown) => {
        this.failure ??= error;
      },
    );
  }
  failure: unknown;

  async step(line: Line, count: number): Promise<void> {
    for (let i = 0; i < count && this.broker.step(line); i++) await settled();
  }

  /** Time passes, in which nothing that is under way gets on. */
  stall(ms: number, advance: (ms: number) => void): void {
    if (this.#moving > 0 && ms >= fenceTimeoutMs / 10) this.hasFaults = true;
    advance(ms);
  }

  /** Lets everything happen that is under way, but for what is on these lines. */
  async drain(...except: Line[]): Promise<void> {
    let hasMoved = true;
    while (hasMoved) {
      hasMoved = false;
      await settled();
      for (const line of lines) if (!except.includes(line) && this.broker.step(line)) hasMoved = true;
    }
  }

  /** Throws unless the client got every message of the claim that was published before `before`, or was told a gap. */
  demand(client: Client, { topic, from, until }: Claim, before: number): void {
    for (const [name, owed] of this.published) {
      if (!matches(topic, name)) continue;
      const got = client.frames.filter((frame) =>
        frame.t === 'gap' ? frame.topic === topic : frame.topic === name,
      );
      for (const { n, at } of owed) {
        if (at < from || at > Math.min(until, before)) continue;
        if (got.some((frame) => frame.data === n)) continue;
        const later = got.find((frame) => frame.data !== undefined && frame.data > n);
        const isTold = got.some(
          (frame) =>
            frame.t === 'gap' &&
            frame.at > at &&
            // What a full queue drops is noticed afterwards; everything else comes before the message behind it.
            (this.broker.dropped > 0 || later === undefined || frame.at < later.at),
        );
        if (!isTold) throw new Error(`${client.name} misses ${n} of ${name} by ${topic} and was not told`);
      }
    }
  }

  /** What must hold at any time. */
  check(): void {
    if (this.failure !== undefined) throw this.failure;
    if (this.hub.faults > 0) throw new Error('a topic was left more often than joined');
    for (const client of this.clients) {
      for (const topic of this.published.keys()) {
        const got = client.frames.flatMap(({ topic: of, data }) =>
          of === topic && data !== undefined ? data : [],
        );
        if (got.some((n, i) => i > 0 && n <= (got[i - 1] as number))) {
          throw new Error(`${client.name} got ${got} of ${topic}: repeated or out of order`);
        }
      }
    }
  }

  /** Waits until all is at rest, and checks that it is as it should be. */
  async finish(advance: (ms: number) => void): Promise<void> {
    for (let elapsedMs = 0; elapsedMs < longMs; elapsedMs += 500) {
      await this.drain();
      advance(500);
    }
    await this.drain();
    this.check();
    if (this.#moving > 0) throw new Error(`${this.#moving} fences have not ended`);
    for (const client of this.clients) {
      for (const claim of client.claims) if (claim.until === never) this.demand(client, claim, never);
      if (client.isOpen && client.unanswered.size > 0) throw new Error(`${client.name} got no answer`);
    }
    const wanted = new Set(this.clients.flatMap((client) => (client.isOpen ? [...client.wants.keys()] : [])));
    const expected = [...wanted].map(topicKey).sort().join();
    const bound = this.broker.bindingsOf(exchanges.events).join();
    if (bound !== expected) throw new Error(`bound: ${bound}; wanted: ${expected}`);
    if (this.hub.size !== wanted.size) throw new Error(`${this.hub.size} topics, ${wanted.size} wanted`);
    const gaps = this.clients.flatMap((client) => client.frames.filter((frame) => frame.t === 'gap'));
    const isHarmless = !this.hasFaults && this.#messages + this.#moves < maxLength - prefetch;
    if (isHarmless && gaps.length > 0) throw new Error('a gap was told although nothing was lost');
  }
}

/** Everything that follows from what has happened so far has been carried out. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
