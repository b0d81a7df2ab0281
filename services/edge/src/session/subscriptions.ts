import { errorCodes, type GapReason, gapReasons, isTopic } from '@evenkeel/protocol';
import { errorFrame, okFrame } from '../frame/frames.js';
import type { Connection } from '../transport/connection.js';
import type { Membership, Topics } from './ports.js';

export interface SubscriptionsOptions {
  /** Topics at most. */
  limit: number;
  send(frame: string): void;
  gap(reason: GapReason, topic: string): void;
}

/** One topic of the connection, from the first request for it to its end. */
interface Subscription {
  readonly membership: Membership;
  isBound: boolean;
  /** Messages may be missing before its first one. */
  readonly missed: GapReason | undefined;
  /** Requests that are answered when it is bound. */
  readonly unanswered: string[];
  /** Resolves when it is bound, refused, or left. */
  readonly settled: Promise<void>;
  settle(): void;
}

/** The topics of one connection: counted in at the edge's topics, subscribed on the connection. */
export class Subscriptions {
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #connection: Connection;
  readonly #topics: Topics;
  readonly #options: SubscriptionsOptions;
  #isOver = false;

  constructor(connection: Connection, topics: Topics, options: SubscriptionsOptions) {
    this.#connection = connection;
    this.#topics = topics;
    this.#options = options;
  }

  /** Those asked for and not yet bound included. */
  get size(): number {
    return this.#subscriptions.size;
  }

  /** The topics whose messages come. */
  *[Symbol.iterator](): IterableIterator<string> {
    for (const [topic, { isBound }] of this.#subscriptions) if (isBound) yield topic;
  }

  /**
   * Resolves when every later message of the topic reaches the connection, or the refusal was sent. `id`: of the request.
   * With `missed` a gap is told before the first message.
   */
  async join(topic: string, id: string | undefined, missed?: GapReason): Promise<void> {
    const { limit, send } = this.#options;
    if (this.#isOver) return;
    if (!isTopic(topic)) {
      const message = 'a topic is words of A-Z a-z 0-9 _ ~ - joined by dots, at most 200 bytes, no wildcards';
      return send(errorFrame(id, errorCodes.badTopic, message));
    }
    let subscription = this.#subscriptions.get(topic);
    if (!subscription) {
      if (this.#subscriptions.size >= limit) {
        const message = `at most ${limit} topics; unsubscribe from one`;
        return send(errorFrame(id, errorCodes.topicLimit, message));
      }
      subscription = this.#subscribe(topic, missed);
    }
    if (!subscription.isBound) {
      if (id !== undefined) subscription.unanswered.push(id);
      await subscription.settled;
    } else if (id !== undefined) send(okFrame(id));
  }

  leave(topic: string): void {
    const subscription = this.#subscriptions.get(topic);
    if (!subscription) return;
    this.#end(topic, subscription);
    // Asked for and taken back before it was bound: each request has its answer, in the order of asking.
    for (const id of subscription.unanswered.splice(0)) this.#options.send(okFrame(id));
  }

  /** The end: whatever is joined later is ignored. */
  leaveAll(): void {
    this.#isOver = true;
    for (const [topic, subscription] of [...this.#subscriptions]) this.#end(topic, subscription);
  }

  /**
   * To be awaited before the connection is left for another. true: all that was published before the call has been sent to
   * it. false: after `timeoutMs` at most that could not be shown, and each topic was told a gap.
   */
  async settle(timeoutMs: number): Promise<boolean> {
    if (this.size === 0 || (await this.#topics.fence(timeoutMs))) return true;
    for (const topic of this) this.#options.gap(gapReasons.connectionLost, topic);
    return false;
  }

  #subscribe(topic: string, missed: GapReason | undefined): Subscription {
    const membership = this.#topics.join(topic);
    let settle = () => {};
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const subscription: Subscription = {
      membership,
      isBound: false,
      missed,
      unanswered: [],
      settled,
      settle,
    };
    this.#subscriptions.set(topic, subscription);
    membership.bound.then(
      () => this.#bound(topic, subscription),
      () => this.#refused(topic, subscription),
    );
    return subscription;
  }

  #bound(topic: string, subscription: Subscription): void {
    // It may have been left while the broker was binding.
    if (this.#subscriptions.get(topic) !== subscription) return;
    subscription.isBound = true;
    // Before anything that a client could take for the message that follows the gap.
    if (subscription.missed) this.#options.gap(subscription.missed, topic);
    this.#connection.subscribe(topic);
    for (const id of subscription.unanswered.splice(0)) this.#options.send(okFrame(id));
    subscription.settle();
  }

  #refused(topic: string, subscription: Subscription): void {
    if (this.#subscriptions.get(topic) !== subscription) return;
    this.#end(topic, subscription);
    // From a hello: it has no id.
    const ids = subscription.unanswered.length > 0 ? subscription.unanswered : [undefined];
    for (const id of ids) {
      const message = 'not subscribed: the broker is away; try again';
      this.#options.send(errorFrame(id, errorCodes.brokerUnavailable, message));
    }
  }

  #end(topic: string, subscription: Subscription): void {
    this.#subscriptions.delete(topic);
    if (subscription.isBound) this.#connection.unsubscribe(topic);
    subscription.membership.release();
    subscription.settle();
  }
}
