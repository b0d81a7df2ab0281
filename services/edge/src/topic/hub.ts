import { isPattern } from '@evenkeel/access';
import type { Delivery } from '@evenkeel/broker';
import { type IsEdge, isSentTo, type Mesh, type OwnQueue, senderOf } from '@evenkeel/mesh';
import {
  exchanges,
  fenceKey,
  type GapReason,
  gapReasons,
  markKey,
  topicKey,
  topicOfKey,
} from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import { gapFrame, messageFrame } from '../frame/frames.js';
import { topicsOf } from '../frame/routing.js';
import type { Follower } from '../trace/follower.js';
import { FanOut } from './fan-out.js';
import { Fence } from './fence.js';
import { type Leaver, markerBody, markerOf, markName, markOf } from './marker.js';
import type { NamePace } from './name-pace.js';
import { Overflow } from './overflow.js';
import { PatternIndex } from './patterns.js';

/** A topic without local subscribers stays bound this long, so that coming and going costs the broker nothing. */
const lingerMs = 10_000;
/**
 * Topic messages waiting in the broker for this edge, the oldest of which is dropped beyond it, which is told; and those
 * under way to it.
 */
const queueLimits = { maxLength: 50_000, prefetch: 512 };
/** How often the queue is looked at, if nothing gives reason to look earlier. */
const lookMs = 5_000;

/** One subscriber of one topic, counted in. */
export interface TopicJoin {
  /** Resolves once every later message of the topic reaches this edge; rejects when the broker did not bind it in time. */
  readonly bound: Promise<void>;
  /** Counts it out, once however often it is called; also while `bound` is pending. */
  release(): void;
}

export interface HubOptions {
  mesh: Pick<Mesh, 'ownQueue' | 'publisher'>;
  node: string;
  boot: string;
  /** Longest frame of a message; a longer one becomes a gap. */
  maxEventBytes: number;
  /** Whose word on the sender of a message counts. */
  isEdge: IsEdge;
  /** Sends a frame to every local subscriber of exactly this name of a topic or pattern, but for those that are served one by one. */
  publish(name: string, frame: string): void;
  /** Topics and patterns whose messages come from a stream: {@link TopicHub.deliver}. */
  streamed?: { has(name: string): boolean };
  /** So many subscribers have been told that messages are missing. */
  onGap(reason: GapReason, subscribers: number): void;
  /** Another edge's marker has come, between the messages: these sessions leave that edge, maybe for this one. */
  onMark(mark: string, sessions: readonly string[]): void;
  /** When a topic may be bound that this edge does not have yet. */
  pace: Pick<NamePace, 'turn'>;
  /** Whether no binding of topics had gone, at a moment after the call; false: that was not shown in this time. */
  areBound(timeoutMs: number): Promise<boolean>;
  /** There only while somebody looks. */
  following?: Pick<Follower, 'fannedOut'> | undefined;
  /** Ms since the epoch. */
  now: () => number;
  log: Log;
  /** For tests: a small queue, and the clock that markers are timed by. */
  limits?: typeof queueLimits;
  monotonicNow?: () => number;
}

/** A topic, or a pattern: the name by which connections have subscribed. */
interface Topic {
  readonly name: string;
  subscribers: number;
  /** Its binding has been asked for; what comes after that only waits for it. */
  isAsked: boolean;
  /** Set while it stays bound without a subscriber. */
  linger: NodeJS.Timeout | undefined;
}

/**
 * The topics of this edge: who subscribes, counted, and the fan-out. Each is bound once, to the edge's own queue, while
 * it has local subscribers. The queue binds them again when it had to be made again; then each is told a gap, before
 * the first message that may follow a missing one.
 */
export class TopicHub {
  readonly #options: HubOptions;
  readonly #topics = new Map<string, Topic>();
  readonly #queue: OwnQueue;
  readonly #fence: Fence;
  readonly #overflow: Overflow;
  /** Who is handed messages one by one. */
  readonly singles: FanOut;
  /** Those of `#topics` that are patterns. */
  readonly #patterns = new PatternIndex();
  /** Topics that lost messages with the queue and are not bound again yet, and whether a gap was told already. */
  readonly #untold = new Map<string, boolean>();
  /** Messages may come by other bindings than their topic's. */
  #hasHadPatterns = false;
  #hasQueue = true;
  /** Times that subscribers were told so. */
  #overflows = 0;
  #looking: NodeJS.Timeout | undefined;
  /** What must not happen and did: topics left more often than joined. */
  faults = 0;

  constructor(options: HubOptions) {
    this.#options = options;
    this.singles = new FanOut((name, frame) => options.publish(name, frame));
    const { mesh, node, boot, limits = queueLimits } = options;
    const markerKey = fenceKey(node, boot);
    this.#queue = mesh.ownQueue({
      name: `edge.${node}`,
      arguments: { 'x-max-length': limits.maxLength },
      bindings: [{ exchange: exchanges.control, key: markerKey }],
      prefetch: limits.prefetch,
      onDelivery: (delivery) => this.#onDelivery(delivery),
      onLost: () => this.#onLost(),
      onRemade: () => this.#onRemade(),
      onRestored: ({ key }) => this.#tellLoss(topicOfKey(key) ?? ''),
    });
    this.#overflow = new Overflow({
      ...limits,
      length: async () => (await this.#queue.counts())?.messages,
      onOverflow: () => this.#onOverflow(),
    });
    const { publisher } = mesh;
    this.#fence = new Fence({
      // Without an expiry: one that goes missing shows that the queue dropped it.
      send: (marker, leaving) =>
        publisher.publish(exchanges.control, markerKey, markerBody(marker, leaving), {
          contentType: 'text/plain',
          mandatory: true,
          // The same message to both queues: it stands at one point of both streams, as nearly as the broker can say.
          ...(leaving.length > 0 && { headers: { CC: [...new Set(leaving.map(({ to }) => markKey(to)))] } }),
        }),
      onDropped: () => this.#onOverflow(),
      confirm: (tookMs) => this.#overflow.settle(tookMs),
      now: options.monotonicNow ?? (() => performance.now()),
    });
  }

  /** Topics with subscribers, and those that linger. */
  get size(): number {
    return this.#topics.size;
  }

  /** Subscribers, over all topics. */
  get subscribers(): number {
    let sum = 0;
    for (const topic of this.#topics.values()) sum += topic.subscribers;
    return sum;
  }

  /** Messages that have come, the marks of moves included. */
  get come(): number {
    return this.#overflow.come;
  }

  /** Messages that waited for this edge in the broker when it was last looked. */
  get waiting(): number {
    return this.#overflow.waiting;
  }

  /** True, or what keeps messages of topics from coming. */
  readiness(): true | string {
    const queue = this.#queue.readiness();
    if (queue !== true) return queue;
    return this.#untold.size === 0 || `${this.#untold.size} topics are not bound again yet`;
  }

  /** Resolves when topics can be bound; waits for the broker as long as it takes. */
  async start(signal?: AbortSignal): Promise<void> {
    this.#looking = setInterval(() => void this.#overflow.look(), lookMs);
    await this.#queue.start(signal);
    // Without it clients that move here tell repeats by content, as from an older edge.
    this.#queue.bind(exchanges.control, markKey(this.#options.node)).catch(() => {});
  }

  async stop(): Promise<void> {
    clearInterval(this.#looking);
    for (const topic of this.#topics.values()) clearTimeout(topic.linger);
    this.#fence.lost();
    await this.#queue.stop();
  }

  /** Bindings of topics have gone: all are made again, and subscribers told. */
  bindAgain(): void {
    this.#queue.remake('its bindings have gone');
  }

  /** Whether it is bound, or is about to be. */
  has(name: string): boolean {
    return this.#topics.has(name);
  }

  /**
   * Counts a subscriber in. `uid`: of the user whose turn it waits for where the topic is new here; undefined: of a session that is
   * moved here, at the pace of moves.
   */
  join(name: string, uid: string | undefined): TopicJoin {
    let topic = this.#topics.get(name);
    if (!topic) {
      topic = { name, subscribers: 0, isAsked: false, linger: undefined };
      this.#topics.set(name, topic);
      if (isPattern(name)) {
        this.#patterns.add(name);
        this.#hasHadPatterns = true;
      }
    }
    const joined = topic;
    joined.subscribers += 1;
    clearTimeout(joined.linger);
    joined.linger = undefined;
    let isReleased = false;
    const bound = this.#bind(joined, uid, () => !isReleased);
    // Who has released it need not look at it any more.
    bound.catch(() => {});
    return {
      bound,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#countOut(joined);
      },
    };
  }

  /**
   * true: what was in the topic queue at the time of the call has been sent to its subscribers, or they were told a gap.
   * false: that could not be shown within `timeoutMs`, so who leaves now may miss messages.
   */
  async fence(timeoutMs: number, leaving?: Leaver): Promise<boolean> {
    if (!this.#hasQueue || this.#untold.size > 0) return false;
    if (!leaving) return (await this.#fence.wait(timeoutMs)) && (await this.#options.areBound(timeoutMs));
    let overflows = this.#overflows;
    const reached = (marker: number) => {
      overflows = this.#overflows;
      leaving.reached(markName(this.#options.boot, marker));
    };
    const hasPassed = await this.#fence.wait(timeoutMs, { ...leaving, reached });
    // It had its last message before the look at the queue was answered, so it was not among those told.
    if (hasPassed && overflows !== this.#overflows) leaving.dropped();
    // Markers come by another exchange, also where what is published to topics does not any more.
    return hasPassed && (await this.#options.areBound(timeoutMs));
  }

  /** true: nothing older than this call can come from the topic queue any more. false: not shown within `timeoutMs`. */
  async caughtUp(timeoutMs: number): Promise<boolean> {
    // What is lost with its queue does not come either.
    return !this.#hasQueue || (await this.#fence.wait(timeoutMs)) || !this.#hasQueue;
  }

  /** Messages of the topic may be missing that its subscribers are not told of yet. */
  isInDoubt(topic: string): boolean {
    return !this.#hasQueue || this.#untold.has(topic);
  }

  /** `isWanted`: whether the subscriber that waits for it is still there. */
  #bind(topic: Topic, uid: string | undefined, isWanted: () => boolean): Promise<void> {
    if (this.#isStreamed(topic.name)) return Promise.resolve();
    const ask = () => {
      topic.isAsked = true;
      const bound = this.#queue.bind(exchanges.events, topicKey(topic.name));
      // At once: a moment later a loss may have come that is not over yet.
      bound.then(
        () => this.#tellLoss(topic.name),
        () => {},
      );
      return bound;
    };
    if (topic.isAsked || uid === undefined) return ask();
    return new Promise((resolve, reject) => {
      // Without a subscriber it is not bound, and nobody waits.
      const isTaken = this.#options.pace.turn(uid, () => ask().then(resolve, reject), isWanted);
      if (!isTaken) reject(new Error('as many new topics of this user wait as may'));
    });
  }

  #onMarker({ key, body }: Delivery): void {
    const { node, boot, onMark } = this.#options;
    const { marker, sessions } = markerOf(body);
    if (key === fenceKey(node, boot)) this.#fence.passed(marker);
    else onMark(markOf(key, marker), sessions);
  }

  #countOut(topic: Topic): void {
    topic.subscribers -= 1;
    if (topic.subscribers > 0) return;
    if (topic.subscribers < 0) {
      topic.subscribers = 0;
      this.faults += 1;
      this.#options.log.error({ topic: topic.name }, 'topic left more often than joined');
    }
    topic.linger ??= setTimeout(() => this.#forget(topic), lingerMs).unref();
  }

  #forget(topic: Topic): void {
    clearTimeout(topic.linger);
    this.#topics.delete(topic.name);
    if (isPattern(topic.name)) this.#patterns.delete(topic.name);
    this.#untold.delete(topic.name);
    if (topic.isAsked) void this.#queue.unbind(exchanges.events, topicKey(topic.name));
  }

  #onLost(): void {
    this.#hasQueue = false;
    this.#fence.lost();
    for (const topic of [...this.#topics.values()]) {
      if (topic.subscribers === 0) this.#forget(topic);
      else if (!this.#isStreamed(topic.name)) this.#untold.set(topic.name, false);
    }
  }

  #onRemade(): void {
    this.#hasQueue = true;
    this.#overflow.reset();
  }

  /** The topic is bound again; what was published meanwhile is lost. */
  #tellLoss(name: string): void {
    if (this.#untold.delete(name)) this.#tellGap(name, gapReasons.brokerLost);
  }

  /** A message comes, maybe before the answer to its bind; the gap belongs before it. */
  #tellLossBefore(name: string): void {
    if (!this.#hasHadPatterns) return this.#tellLoss(name);
    // By which binding it comes is not known: until it is bound again more may be lost, which is told then.
    if (this.#untold.get(name) !== false) return;
    this.#untold.set(name, true);
    this.#tellGap(name, gapReasons.brokerLost);
  }

  #onOverflow(): void {
    this.#overflows += 1;
    this.#options.log.warn({ topics: this.#topics.size }, 'topic queue was full, the oldest may be missing');
    for (const name of this.#topics.keys())
      if (!this.#isStreamed(name)) this.#tellGap(name, gapReasons.overflow);
  }

  #isStreamed(name: string): boolean {
    return this.#options.streamed?.has(name) === true;
  }

  /** One message of a topic that comes from a stream. */
  deliver(topic: string, frame: string, from?: string): void {
    const names = this.#namesOf(topic);
    if (names.length > 0) this.singles.send(names, frame, from);
  }

  /** Messages of patterns of which this is the first word are missing, and of those of no first word. */
  tellPatterns(isMissing: (name: string) => boolean, reason: GapReason): void {
    for (const name of this.#topics.keys())
      if (isPattern(name) && isMissing(name)) this.#tellGap(name, reason);
  }

  #tellGap(name: string, reason: GapReason): void {
    this.#options.onGap(reason, this.#topics.get(name)?.subscribers ?? 0);
    this.singles.tell(name, gapFrame(reason, name));
  }

  #onDelivery(delivery: Delivery): void {
    delivery.ack();
    // Of a queue that is given up; its topics are in doubt already.
    if (!this.#hasQueue) return;
    this.#overflow.delivered();
    if (delivery.exchange === exchanges.control) {
      if (isSentTo(delivery, exchanges.control)) this.#onMarker(delivery);
      return;
    }
    for (const topic of topicsOf(delivery)) this.#send(topic, delivery);
  }

  #send(topic: string, delivery: Delivery): void {
    // It may have other topics by CC, which nobody here has subscribed.
    const names = this.#namesOf(topic);
    // A pattern may bring what comes from its stream as well.
    if (names.length === 0 || this.#isStreamed(topic)) return;
    if (this.#untold.size > 0) for (const name of names) this.#tellLossBefore(name);
    const { now, maxEventBytes, following, isEdge } = this.#options;
    const from = senderOf(delivery, isEdge);
    const frame = messageFrame(topic, delivery, now(), maxEventBytes, from);
    if (frame === undefined) {
      for (const name of names) this.#tellGap(name, gapReasons.tooLarge);
      return;
    }
    this.singles.send(names, frame, from?.key);
    following?.fannedOut(topic, delivery);
  }

  /** By which this topic is subscribed here. */
  #namesOf(topic: string): readonly string[] {
    const patterns = this.#patterns.matching(topic);
    if (!this.#topics.has(topic)) return patterns;
    return patterns.length === 0 ? [topic] : [topic, ...patterns];
  }
}
