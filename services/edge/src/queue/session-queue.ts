import {
  BrokerError,
  type BrokerErrorCode,
  type Consumer,
  type ConsumerChannels,
  type Delivery,
  type Publisher,
  type PublishOutcome,
  type QueueCounts,
  type QueueSpec,
} from '@evenkeel/broker';
import {
  exchanges,
  lossMarks,
  sealHeader,
  sessionAddress,
  sessionQueue,
  userBinding,
} from '@evenkeel/protocol';
import type { EventsBound } from './events-bound.js';
import type { Generations, Newest } from './generations.js';
import type { LeftSeals } from './left-seals.js';
import { NextQueue, type NextQueueOptions } from './next-queue.js';
import type { Planting } from './planting.js';
import { olderQueueSpec, queueSpec } from './spec.js';

/** What a consumer of a session's queue is told. */
export interface SessionQueueListener {
  onDelivery(delivery: Delivery): void;
  /** What was delivered and is not settled is the broker's to deliver again. */
  onLost(): void;
  /**
   * The queue is about to be consumed again; `found`: as it is, undefined: it will be made, `isLost`: in place of one on a node of
   * the broker that is down. Rejects when it must not be yet.
   */
  onFound(found: QueueCounts | undefined, isLost: boolean): Promise<void>;
  /** It is consumed again. */
  onRestored(): void;
}

export interface SessionQueuesOptions {
  topology: NextQueueOptions['topology'];
  /** The broker that this edge is connected to, `host:port`. */
  brokerNow(): string | undefined;
  generations: Pick<Generations, 'find' | 'isCluster' | 'leave'>;
  consumers: Pick<ConsumerChannels, 'consume'>;
  publisher: Pick<Publisher, 'publish'>;
  planting: Planting;
  leftSeals: Pick<LeftSeals, 'leave' | 'takeBack' | 'hurry' | 'back'>;
  /** This edge. */
  node: string;
  /**
   * Resolves once others can ask this edge for a session: before, they take it for gone, and would consume beside it. Undefined: they can.
   */
  whenAskable(): Promise<void> | undefined;
  /** Resolves once this edge hears of what is dropped, or soon after: before, a queue is not consumed again. */
  whenHeard(): Promise<void>;
  bindings(): EventsBound;
  /** Life of a session without a connection. */
  lifetimeMs: number;
  /** Events at most; the oldest is dropped beyond it. */
  maxLength: number;
}

/** What is remembered of a session's queue: its number, and the broker that it was made at; undefined: 0, and nobody knows. */
interface Hint {
  readonly generation?: number | undefined;
  readonly home?: string | undefined;
}

/** A seal that does not get there is a gap in vain when its session moves: a broker that is behind gets it later. */
const plantTries = 3;
const unanswered: ReadonlySet<BrokerErrorCode> = new Set(['broker-unavailable', 'publish-timeout']);

/** The queues of sessions on the broker. */
export class SessionQueues {
  readonly #options: SessionQueuesOptions;

  constructor(options: SessionQueuesOptions) {
    this.#options = options;
  }

  of(uid: string, sid: string): SessionQueue {
    return new SessionQueue(uid, sid, this.#options);
  }
}

/** One session's queue. It outlives the edge: what is done to it here is done with care for who comes next. */
export class SessionQueue {
  readonly #uid: string;
  readonly #sid: string;
  readonly #options: SessionQueuesOptions;
  #takesReplies = false;
  #generation = 0;
  /** Who has had the session has said so, or a look has shown it. */
  #isKnown = false;
  #isLost = false;
  #home: string | undefined;
  #hint: Hint | undefined;
  /** What comes for it comes by an exchange in front of it. */
  #isJoined = false;

  constructor(uid: string, sid: string, options: SessionQueuesOptions) {
    this.#uid = uid;
    this.#sid = sid;
    this.#options = options;
  }

  get name(): string {
    return sessionQueue(this.#uid, this.#sid, this.#generation);
  }

  /** Which of the session's queues it is: 0 until one was lost with a node of the broker. */
  get generation(): number {
    return this.#generation;
  }

  /** The look before has shown that the session's queue is on a node that is down: this one is to be made in its place. */
  get isLost(): boolean {
    return this.#isLost;
  }

  get node(): string {
    return this.#options.node;
  }

  /** Queues may be lost one by one, each with its node. */
  get isOfCluster(): boolean {
    return this.#options.generations.isCluster;
  }

  /** The broker that it was made at; undefined: nobody knows. */
  get home(): string | undefined {
    return this.#home;
  }

  /** The one that is to take its place, at the broker that this edge is connected to. */
  next(): NextQueue {
    const { topology, publisher, lifetimeMs, maxLength, brokerNow } = this.#options;
    const generation = this.#generation + 1;
    this.#isJoined = true;
    return new NextQueue({
      topology,
      publisher,
      uid: this.#uid,
      sid: this.#sid,
      before: this.name,
      spec: queueSpec(this.#uid, this.#sid, lifetimeMs, maxLength, generation),
      brokerNow,
      onTake: (home) => this.isAt(generation, home),
      onUndo: () => {
        this.#isJoined = false;
      },
    });
  }

  /** Who has had it says so. */
  isAt(generation: number, home?: string): void {
    if (generation !== this.#generation) {
      this.#takesReplies = false;
      this.#isJoined = false;
    }
    if (generation !== this.#generation || home !== undefined) this.#home = home;
    this.#generation = generation;
    this.#isKnown = true;
    this.#isLost = false;
  }

  /** Who has had it some time ago, or its client, says so: it is one of these, the last one, or a later one. */
  mayBeAt(hints: readonly Hint[]): void {
    for (const hint of hints) {
      const [generation, known] = [hint.generation ?? 0, this.#hint?.generation ?? 0];
      if (generation > known || (generation === known && hint.home !== undefined)) this.#hint = hint;
    }
  }

  /** Goes to the newest that there is: its counts; undefined when there is none. What came before that one is not needed any more. */
  async check(): Promise<QueueCounts | undefined> {
    const { generations } = this.#options;
    // Its own consumer is busy with it.
    if (this.#isJoined) return { messages: 0, consumers: 1 };
    const { generation, counts, isLost, older } = await this.#find();
    const isStillLost = this.#isLost && generation === this.#generation && counts === undefined;
    this.isAt(generation, generation === (this.#hint?.generation ?? 0) ? this.#hint?.home : undefined);
    this.#isLost = isLost || isStillLost;
    for (const each of older) generations.leave(sessionQueue(this.#uid, this.#sid, each));
    return counts;
  }

  /** From what is known, or was said; a client may say anything. */
  async #find(): Promise<Newest> {
    const { generations } = this.#options;
    const [uid, sid, hint] = [this.#uid, this.#sid, this.#hint?.generation ?? 0];
    if (this.#isKnown) return await generations.find(uid, sid, this.#generation, true);
    const newest = await generations.find(uid, sid, hint);
    const isNone = newest.counts === undefined && !newest.isLost;
    return isNone && hint > 0 ? await generations.find(uid, sid) : newest;
  }

  /**
   * Declares and binds it, new or not: its first edge may have died between the two. Events come last, so that a seal that is
   * planted at once comes before them, mostly: `onSealable`. `isFound`: it was there, so events may have gone past it, which is marked;
   * false: it has gone, which its client is told anyway; undefined: nobody has had it.
   * @returns whether an older edge has made it, one that knows no seals.
   */
  make(onSealable?: () => void, isFound?: boolean): Promise<boolean> {
    return this.#options.planting.making(this.#make(onSealable, isFound));
  }

  async #make(onSealable: (() => void) | undefined, isFound: boolean | undefined): Promise<boolean> {
    const { topology, planting, lifetimeMs, maxLength, brokerNow, bindings } = this.#options;
    this.#isKnown = true;
    // One that was made and cannot be bound would pass for one that was there.
    if (isFound !== undefined) await bindings().whenBindable();
    const home = brokerNow();
    const { asIs } = await topology.declareQueue(
      queueSpec(this.#uid, this.#sid, lifetimeMs, maxLength, this.#generation),
    );
    // Declared again after a loss it may be elsewhere.
    if (!isFound) this.#home = home === brokerNow() ? home : undefined;
    // In a crowd with its seal, or its first request.
    if (this.#takesReplies || !planting.isCrowded) await this.#bindReplies();
    onSealable?.();
    if (isFound !== undefined) {
      await bindings().bindOwed(this.#who, async () => {
        if (isFound) await this.#bindBetweenMarks();
        else await this.#bindEvents();
        return isFound;
      });
    }
    await this.#bindEvents();
    return (
      asIs &&
      this.#generation === 0 &&
      (await this.#isAs(olderQueueSpec(this.#uid, this.#sid, lifetimeMs, maxLength)))
    );
  }

  /**
   * Its binding of events has gone, and events with it: binds it again, between two marks. Whoever consumes it tells its client so where
   * they stand. Idempotent, but for what is told. False: there is no queue.
   * @throws BrokerError when that is not done.
   */
  async bindAgain(): Promise<boolean> {
    if ((await this.check()) === undefined) return false;
    await this.#bindBetweenMarks();
    return true;
  }

  /** Events are about to go past this one of its queues: whoever consumes it from here on tells its client so where that begins. */
  async markLoss(generation: number): Promise<void> {
    this.isAt(generation);
    await this.#bindReplies();
    await this.#mark(lossMarks.begin);
  }

  async #bindBetweenMarks(): Promise<void> {
    await this.#bindReplies();
    await this.#mark(lossMarks.begin);
    await this.#bindEvents();
    await this.#mark(lossMarks.end);
  }

  /**
   * Lets services' replies in once more, should somebody have taken the binding away. It belongs to the queue: it outlives this
   * edge, and another one's binds once more without harm.
   */
  async takeReplies(): Promise<void> {
    await this.#bindReplies();
  }

  /** The edge that has let it go had made it, with every binding. */
  isMade(): void {
    this.#takesReplies = true;
  }

  /** The opposite of `takeReplies`: what comes by `mesh.replies` is returned to its sender. */
  async refuseReplies(): Promise<void> {
    this.#takesReplies = false;
    const address = sessionAddress(this.#uid, this.#sid);
    await this.#options.topology.unbind(this.name, exchanges.replies, address);
  }

  /**
   * Publishes a seal to it. It is formed as a reply to nobody's request, which an edge that knows no seals writes, and clients
   * ignore. True once the broker has it there. `isFirst`: nothing is in doubt, and it may wait for its turn.
   */
  plant(name: string, isFirst: boolean): Promise<boolean> {
    const { planting } = this.#options;
    return isFirst
      ? planting.inTurn(`${this.#uid}.${this.#sid}`, () => this.#plant(name))
      : this.#plant(name);
  }

  /** Waits no longer; `at`: for the seal that another edge has. */
  hurryPlanting(at?: string): void {
    this.#options.leftSeals.hurry(this.#who, at);
  }

  /** It is put back later. */
  leaveSeal(name: string, delivery: Delivery): void {
    this.#options.leftSeals.leave(this.#who, name, delivery, this.#generation);
  }

  /** If it was left here, and has not been put back. */
  takeSeal(name: string): Delivery | undefined {
    return this.#options.leftSeals.takeBack(this.#who, name);
  }

  async sealIsBack(): Promise<void> {
    await this.#options.leftSeals.back(this.#who);
  }

  get #who(): { uid: string; sid: string } {
    return { uid: this.#uid, sid: this.#sid };
  }

  async #plant(name: string): Promise<boolean> {
    for (let tries = 1; tries <= plantTries; tries += 1) {
      const isThere = await this.#tryToPlant(name);
      if (isThere !== undefined) return isThere;
    }
    return false;
  }

  /** undefined: the broker has not answered. Of two of one name the second goes. */
  async #tryToPlant(name: string): Promise<boolean | undefined> {
    try {
      if (!this.#takesReplies) await this.#bindReplies();
      // What a node of several loses by going down is what was published meanwhile: its seal goes with it, and says so.
      const outcome = await this.#send(name, !this.#options.generations.isCluster);
      // Its binding has gone, with the queue or with the exchange.
      if (outcome === 'unrouted') this.#takesReplies = false;
      return outcome === 'routed';
    } catch (error) {
      return error instanceof BrokerError && unanswered.has(error.code) ? undefined : false;
    }
  }

  /** Consumes it, and makes it again where it has gone, until the consumer is cancelled. */
  async consume(listener: SessionQueueListener): Promise<Consumer> {
    await this.#options.whenAskable();
    return await this.#options.consumers.consume(this.name, {
      onDelivery: (delivery) => listener.onDelivery(delivery),
      onLost: () => listener.onLost(),
      tellsWaits: true,
      prepare: async () => {
        await this.#options.whenAskable();
        await this.#options.whenHeard();
        const found = await this.check();
        // Said before anything else can fail: the next attempt will find the queue.
        await listener.onFound(found, this.#isLost);
        await this.make(undefined, found !== undefined);
      },
      nameNow: () => this.name,
      onRecovered: () => listener.onRestored(),
    });
  }

  async #mark(name: string): Promise<void> {
    const outcome = await this.#send(name, true);
    if (outcome !== 'routed') throw new BrokerError('no-queue', `queue ${this.name} does not take marks`);
  }

  async #send(name: string, persistent: boolean): Promise<PublishOutcome> {
    return await this.#options.publisher.publish(
      exchanges.replies,
      sessionAddress(this.#uid, this.#sid),
      '',
      {
        headers: { [sealHeader]: name },
        persistent,
        mandatory: true,
      },
    );
  }

  async #bindEvents(): Promise<void> {
    await this.#options.topology.bind(this.name, exchanges.events, userBinding(this.#uid));
  }

  async #isAs(spec: QueueSpec): Promise<boolean> {
    return !(await this.#options.topology.declareQueue(spec)).asIs;
  }

  async #bindReplies(): Promise<void> {
    // They would come twice once the queue has changed.
    if (this.#isJoined) return;
    await this.#options.topology.bind(this.name, exchanges.replies, sessionAddress(this.#uid, this.#sid));
    this.#takesReplies = true;
  }
}
