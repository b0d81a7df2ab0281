import type { Consumer, Delivery, QueueCounts } from '@evenkeel/broker';
import { closeCodes } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { type EdgeConfig, edgeConfig } from '../src/config.js';
import type { Outcome } from '../src/life/ending.js';
import { Life } from '../src/life/life.js';
import { Directory } from '../src/session/directory.js';
import { Entrance } from '../src/session/entrance.js';
import { GivenUp } from '../src/session/given-up.js';
import { LeftBehind } from '../src/session/left-behind.js';
import { Load } from '../src/session/load.js';
import type {
  Handover,
  HandoverAnswer,
  Leaving,
  Membership,
  Presence,
  SessionPorts,
  SessionQueue,
  SessionQueueListener,
  Topics,
} from '../src/session/ports.js';
import { Session } from '../src/session/session.js';
import { Users } from '../src/user/users.js';
import { AccessWorld } from './access-world.js';
import { Deliveries } from './deliveries.js';
import { FakeConnection } from './fake-connection.js';
import { FakeDrops } from './fake-drops.js';
import { FakeGeneration } from './fake-generation.js';
import { FakeInbound } from './fake-inbound.js';

/** A promise that the test settles. */
export interface Pending<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

export function pending<T>(): Pending<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** One queue on the broker; every session of its name shares it. */
export class FakeQueue extends FakeGeneration implements SessionQueue {
  readonly name = 'session.alice.s';
  readonly calls: string[];
  /** Undefined: there is none. */
  counts: QueueCounts | undefined = { messages: 0, consumers: 0 };
  /** Set to keep `consume` waiting. */
  consuming: Pending<void> | undefined;
  /** Set to keep `cancel` waiting. */
  cancelling: Pending<void> | undefined;
  /** Of who consumes it. */
  listener: SessionQueueListener | undefined;
  failure: Error | undefined;
  /** An older edge has made it. */
  isOfOlder = false;
  /** Its seal is where it should be, and comes first whenever it is consumed. */
  isSealed = true;
  /** Names of seals that were planted and have not come. */
  readonly planted: string[] = [];
  /** What becomes of one that is planted: the broker says that it has it. */
  planting: Promise<boolean> = Promise.resolve(true);
  making?: Promise<void>;
  readonly deliveries: Deliveries;
  readonly node = 'edge-1';
  /** The seal that its session left here. */
  left: { readonly name: string; readonly delivery: Delivery } | undefined;

  constructor(calls: string[], deliveries = new Deliveries()) {
    super();
    this.deliveries = deliveries;
    this.calls = calls;
  }

  async check(): Promise<QueueCounts | undefined> {
    this.calls.push('check');
    if (this.failure) throw this.failure;
    return this.counts;
  }

  async make(onSealable?: () => void): Promise<boolean> {
    this.calls.push('make');
    if (this.failure) throw this.failure;
    await this.making;
    if (onSealable) this.isSealed = false;
    onSealable?.();
    return this.isOfOlder;
  }

  isMade(): void {
    this.calls.push('is made');
  }

  async plant(name: string): Promise<boolean> {
    this.calls.push('plant');
    const isThere = await this.planting;
    if (isThere) this.planted.push(name);
    return isThere;
  }

  hurried = 0;
  hurryPlanting = () => void this.hurried++;
  leaveSeal(name: string, delivery: Delivery): void {
    this.calls.push('leave seal');
    this.left = { name, delivery };
  }

  takeSeal(name: string): Delivery | undefined {
    return this.left?.name === name ? this.left.delivery : undefined;
  }

  sealIsBack = async () => void (this.left && this.calls.push('put back seal'));
  /** What was planted comes. */
  deliverSeals(): void {
    for (const name of this.planted.splice(0)) this.listener?.onDelivery(this.deliveries.seal(name));
  }

  async takeReplies(): Promise<void> {
    this.calls.push('take replies');
    if (this.failure) throw this.failure;
  }

  async refuseReplies(): Promise<void> {
    this.calls.push('refuse replies');
  }

  async consume(listener: SessionQueueListener): Promise<Consumer> {
    this.calls.push('consume');
    this.listener = listener;
    if (this.isSealed) listener.onDelivery(this.deliveries.seal('old'));
    else this.deliverSeals();
    await this.consuming?.promise;
    const consumer = {
      queue: this.name,
      state: 'active' as Consumer['state'],
      cancel: async () => {
        this.calls.push('cancel');
        await this.cancelling?.promise;
        consumer.state = 'cancelled';
        if (this.listener === listener) this.listener = undefined;
        return true;
      },
      barrier: async () => {
        this.calls.push('barrier');
        return this.counts;
      },
      unbind: async () => {},
    };
    return consumer;
  }
}

export class FakeHandover implements Handover {
  readonly calls: string[];
  /** Of each edge that is asked; those not named do not have it. */
  readonly answers: Record<string, Partial<HandoverAnswer>> = {};
  searched: Partial<HandoverAnswer> | Promise<Partial<HandoverAnswer>> = { outcome: 'unknown' };
  onSearch: () => void = () => {};
  /** Set to keep whoever asks waiting. */
  asking: Pending<void> | undefined;
  /** What those that were asked said of the session. */
  isAway = false;
  #abandon: () => void = () => {};

  constructor(calls: string[]) {
    this.calls = calls;
  }

  async ask(_claims: TicketClaims, node: string): Promise<HandoverAnswer> {
    this.calls.push(`ask ${node}`);
    const abandoned = new Promise<'silent'>((resolve) => {
      this.#abandon = () => resolve('silent');
    });
    const outcome = await Promise.race([this.asking?.promise, abandoned]);
    return answer(outcome === 'silent' ? { outcome } : this.answers[node]);
  }

  async search(): Promise<HandoverAnswer> {
    this.calls.push('search');
    this.onSearch();
    return answer(await this.searched);
  }

  wasAway = () => this.isAway;
  abandon(): void {
    this.calls.push('abandon');
    this.#abandon();
  }
}

const answer = (given: Partial<HandoverAnswer> = {}): HandoverAnswer => ({
  outcome: 'unknown',
  suspect: undefined,
  isFull: false,
  knowsSeals: true,
  ...given,
});

export class FakeTopics implements Topics {
  readonly counts = new Map<string, number>();
  isFenced: boolean | Promise<boolean> = true;
  bound: Promise<void> = Promise.resolve();

  has(topic: string): boolean {
    return this.counts.has(topic);
  }

  join(topic: string): Membership {
    const { bound } = this;
    this.#count(topic, 1);
    let isReleased = false;
    const release = () => {
      if (!isReleased) this.#count(topic, -1);
      isReleased = true;
    };
    return { bound, release };
  }

  /** What those who leave are told. */
  mark = '';
  async fence(_timeoutMs?: number, leaving?: Leaving): Promise<boolean> {
    leaving?.reached(this.mark);
    return await this.isFenced;
  }
  caughtUp = async (): Promise<boolean> => true;
  readonly inDoubt = new Set<string>();
  isInDoubt(topic: string): boolean {
    return this.inDoubt.has(topic);
  }
  readonly singles = { add() {}, remove() {}, mute() {}, unmute() {} };

  /** Those with subscribers. */
  get joined(): string[] {
    return [...this.counts].filter(([, count]) => count !== 0).map(([topic]) => topic);
  }

  #count(topic: string, by: number): void {
    this.counts.set(topic, (this.counts.get(topic) ?? 0) + by);
  }
}

/** Nothing is kept of any topic. */
const noPresence: Presence = {
  kept: () => false,
  attached: () => ({ leave: () => {} }),
  enter: () => undefined,
  watch: (topic) => ({ name: `presence:${topic}`, end: () => {} }),
  answer: async () => '',
};

/** Everything around the sessions of one edge, and a clock. */
export class SessionWorld {
  /** What was done to the queue and asked of other edges, in order. */
  readonly calls: string[] = [];
  readonly warnings: string[] = [];
  readonly deliveries = new Deliveries();
  readonly queue = new FakeQueue(this.calls, this.deliveries);
  readonly handover = new FakeHandover(this.calls);
  readonly entrance = new Entrance(() => this.nowMs);
  readonly topics = new FakeTopics();
  readonly inbound = new FakeInbound();
  /** What services were told of their answers. */
  readonly cancelled: string[] = [];
  readonly cancels = {
    cancel: (_: object, id: string) => void this.cancelled.push(id),
    taken: () => {},
    received: () => {},
  };
  readonly drops = new FakeDrops();
  readonly givenUp = new GivenUp(() => this.nowMs);
  /** Bare clients that were let go here. */
  readonly lettingGo = new Set<string>();
  readonly leftBehind = new LeftBehind(300_000, { doubts: 0 }, () => this.nowMs);
  readonly directory = new Directory<Session>();
  readonly load = new Load();
  readonly users: Users;
  /** What was written down of sessions. */
  readonly journal: unknown[][] = [];
  /** What applications were told, in order. */
  readonly told: string[] = [];
  readonly life: Life;
  readonly access: AccessWorld;
  /** What ending the session comes to. */
  ending: Promise<Outcome> = Promise.resolve('ended');
  readonly config: EdgeConfig;
  readonly connections: FakeConnection[] = [];
  readonly sessions: Session[] = [];
  nowMs = 1_000_000;
  delivered = 0;
  /** Deliveries that the broker took back with a channel. */
  forgotten = 0;

  constructor(settings: Partial<EdgeConfig> = {}, access = new AccessWorld()) {
    this.access = access;
    const secret = 'session-test-secret';
    this.config = { ...edgeConfig.parse({ secret: [secret], node: 'edge-1', window: 4 }), ...settings };
    this.users = new Users(this.config, () => this.nowMs);
    this.life = new Life({
      node: 'edge-1',
      lifetimeMs: this.config.sessionLifetimeMs,
      maxSessionsPerUser: this.config.maxSessionsPerUser,
      endings: {
        end: async (_owner, why) => {
          this.calls.push(`end as ${why}`);
          return await this.ending;
        },
      },
      tell: ({ what, reason }) => void this.told.push(reason === undefined ? what : `${what} by ${reason}`),
      isHere: (key) => this.directory.get(key) !== undefined,
      steadyNow: () => this.nowMs,
      log: { warn: () => {} },
    });
  }

  /** A connection that has opened and said nothing. */
  open(claims: Partial<TicketClaims> = {}, isBare = false): { connection: FakeConnection; session: Session } {
    const connection = Object.assign(new FakeConnection(claims), { isBare, openedAtMs: this.nowMs });
    const { config, directory, load } = this;
    const ports: SessionPorts = {
      access: this.access.edge,
      queues: { of: () => this.queue },
      drops: this.drops,
      handover: this.handover,
      entrance: this.entrance,
      topics: this.topics,
      presence: noPresence,
      inbound: this.inbound,
      cancels: this.cancels,
      givenUp: this.givenUp,
      unsent: { take: (delivery) => delivery.drop() },
      letGo: { isBack: ({ uid }) => this.lettingGo.delete(uid) },
      leftBehind: this.leftBehind,
      life: this.life,
      journal: { note: (what, { sid }, details) => void this.journal.push([what, sid, details]) },
    };
    const warn = (_fields: unknown, message?: string) => void this.warnings.push(message ?? '');
    const now = () => this.nowMs;
    const session = new Session(connection, {
      config,
      newConnectionId: () => `b.${this.sessions.length}`,
      ports,
      directory,
      load,
      users: this.users,
      log: { debug: () => {}, warn },
      now,
    });
    connection.owner = session;
    this.connections.push(connection);
    this.sessions.push(session);
    session.start();
    return { connection, session };
  }

  /** Opens, says hello, and lets it attach as far as it gets. */
  async attach(
    hello: object = {},
    claims: Partial<TicketClaims> = {},
  ): Promise<{ connection: FakeConnection; session: Session }> {
    const opened = this.open(claims);
    opened.connection.receive({ t: 'hello', ...hello });
    await settled();
    return opened;
  }

  /** The channel goes, and with it what was delivered and not settled. */
  lose(): void {
    const { listener } = this.queue;
    if (!listener) return;
    listener.onLost();
    this.forgotten = this.delivered - this.deliveries.settled.length;
  }

  /** The queue delivers the next numbers as events. */
  deliver(count: number): void {
    const { listener } = this.queue;
    for (let n = 0; listener && n < count; n += 1) {
      this.delivered += 1;
      listener.onDelivery(this.deliveries.event(this.delivered));
    }
  }
}

/** Lets everything go on that waits for nothing but its turn. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const codes = {
  badFrame: closeCodes.badFrame.code,
  staleTicket: closeCodes.staleTicket.code,
  takeoverFailed: closeCodes.takeoverFailed.code,
  brokerUnavailable: closeCodes.brokerUnavailable.code,
  superseded: closeCodes.superseded.code,
};
