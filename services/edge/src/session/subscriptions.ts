import { type Decision, isPattern } from '@evenkeel/access';
import {
  defaults,
  errorCodes,
  type GapReason,
  gapReasons,
  isTopicPattern,
  type UnsubscribedFrame,
  type WantedTopic,
} from '@evenkeel/protocol';
import { errorFrame, forbiddenFrame, okFrame, unsubscribedFrame } from '../frame/frames.js';
import type { Place } from '../frame/placed.js';
import type { Connection } from '../transport/connection.js';
import type { SessionAccess } from './access.js';
import { Allowances } from './allowances.js';
import { caughtUp } from './catch-up.js';
import { Histories } from './histories.js';
import { Listening } from './listening.js';
import type { Departure, HistoryTopics, Membership, Permission, Topics } from './ports.js';
import type { LeavingHow, SessionPresence } from './presence.js';
import type { Asked } from './readings.js';

export interface SubscriptionsOptions {
  access: Pick<SessionAccess, 'decide' | 'ask' | 'mayReview' | 'forbade' | 'tookAway' | 'placed'>;
  presence: Pick<SessionPresence, 'joined' | 'wants' | 'ended' | 'over'>;
  /** Topics with history, if this edge has any. */
  history?: HistoryTopics | undefined;
  highWatermarkBytes?: number;
  /** Topics at most. */
  limit: number;
  send(frame: string): void;
  gap(reason: GapReason, topic: string): void;
  /** One was refused for the limit. */
  onLimit(): void;
}

/** Of the frame of a gap, which names a topic. */
const mostGapBytes = 300;
const cannotAsk = 'not subscribed: whoever decides cannot be asked now; try again';

/** One topic of the connection, from the first request for it to its end. */
interface Subscription {
  /** Undefined while the application is asked. */
  membership: Membership | undefined;
  isBound: boolean;
  wanted: WantedTopic;
  /** Messages may be missing before its first one. */
  readonly missed: GapReason | undefined;
  /** Requests that are answered when it is bound. */
  readonly unanswered: string[];
  /** Resolves when it is bound, refused, or left; with what to end the connection for, if nobody else can be told. */
  readonly settled: Promise<unknown>;
  settle(failure?: unknown): void;
}

/** The topics of one connection: counted in at the edge's topics, subscribed on the connection. */
export class Subscriptions {
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #connection: Connection;
  readonly #topics: Topics;
  readonly #listening: Listening;
  readonly #histories: Histories;
  readonly #options: SubscriptionsOptions;
  /** Those that the application has allowed. */
  readonly #allowances: Allowances;
  #nameBytes = 0;
  #isOver = false;
  #doubt: readonly string[] = [];

  constructor(connection: Connection, topics: Topics, options: SubscriptionsOptions) {
    this.#connection = connection;
    this.#topics = topics;
    this.#listening = new Listening(connection, topics.singles, { [Symbol.iterator]: () => this.#heard() });
    this.#options = options;
    options.access.placed.of(this);
    const { history, highWatermarkBytes = 0, send, gap } = options;
    this.#histories = new Histories({
      connection,
      topics: history,
      highWatermarkBytes,
      mayRead: (topic) => options.access.decide('subscribe', topic) !== 'forbid',
      send,
      gap,
      listen: (topic) => this.#listen(topic),
      hold: (topic) => this.#listening.hold(topic),
    });
    this.#allowances = new Allowances(options.access, (topic, why) => this.takeOut(topic, why));
  }

  /** Those asked for and not yet bound included. */
  get size(): number {
    return this.#subscriptions.size;
  }

  /** Whether the client is there still. */
  get isConnected(): boolean {
    return this.#connection.isOpen;
  }

  /** Whether its messages come. */
  isBound(topic: string): boolean {
    return this.#subscriptions.get(topic)?.isBound === true;
  }

  /** Whether it would be joined, and this edge does not have it yet, for nobody. */
  isNew(topic: string): boolean {
    if (this.#subscriptions.has(topic) || this.#topics.has(topic)) return false;
    const { access, limit } = this.#options;
    return (
      isTopicPattern(topic) &&
      this.#subscriptions.size < limit &&
      access.decide('subscribe', topic) !== 'forbid'
    );
  }

  /** The topics whose messages come, but for those with history: these are never in doubt. */
  *[Symbol.iterator](): IterableIterator<string> {
    for (const [topic, { isBound }] of this.#subscriptions)
      if (isBound && !this.#histories.has(topic)) yield topic;
  }

  /** Those whose messages come live. */
  *#heard(): IterableIterator<string> {
    for (const [topic, { isBound }] of this.#subscriptions) {
      if (isBound && (!this.#histories.has(topic) || this.#histories.isLive(topic))) yield topic;
    }
  }

  /**
   * Resolves when every later message of the topic reaches the connection, or the refusal was sent. `id`: of the request.
   * With `missed` a gap is told before the first message, which is younger than the call.
   * @throws what kept the topic from being bound, where there is no `id` to answer to and it may be tried again.
   */
  async join(wanted: WantedTopic, id: string | undefined, missed?: GapReason): Promise<void> {
    const { topic } = wanted;
    const { access, limit, send, onLimit } = this.#options;
    if (this.#isOver) return;
    if (!isTopicPattern(topic)) {
      const message =
        'a topic is words of A-Z a-z 0-9 _ ~ - joined by dots, at most 200 bytes; in a pattern * and # are words too';
      return send(errorFrame(id, errorCodes.badTopic, message));
    }
    if (isPattern(topic) && (wanted.since !== undefined || wanted.last !== undefined)) {
      return send(errorFrame(id, errorCodes.badTopic, 'a pattern has no history: leave out since and last'));
    }
    let subscription = this.#subscriptions.get(topic);
    if (!subscription) {
      const decision = access.decide('subscribe', topic);
      if (decision === 'forbid') return this.#forbid(topic, [id]);
      if (this.#subscriptions.size >= limit || this.#nameBytes + topic.length > defaults.maxTopicNameBytes) {
        onLimit();
        const most = `${limit} topics, and ${defaults.maxTopicNameBytes} bytes of names`;
        const message = `'${topic}' is one too many: at most ${most}; unsubscribe from one`;
        return send(errorFrame(id, errorCodes.topicLimit, message));
      }
      subscription = this.#subscribe(wanted, missed, decision);
    } else if (wanted.presence !== undefined) {
      subscription.wanted = { ...subscription.wanted, presence: wanted.presence };
      this.#options.presence.wants(topic, wanted.presence);
    }
    if (!subscription.isBound) {
      if (id !== undefined) subscription.unanswered.push(id);
      const failure = await subscription.settled;
      if (failure !== undefined && id === undefined) throw failure;
    } else if (id !== undefined && !this.#histories.again(wanted, id)) send(okFrame(id));
  }

  /** What a topic keeps, without a subscription; resolves when it is answered. False: too much is asked for already. */
  read(asked: Asked): Promise<boolean> {
    return this.#histories.readings.read(asked);
  }

  leave(topic: string): void {
    this.#options.access.placed.forget(topic);
    const subscription = this.#subscriptions.get(topic);
    if (!subscription) return;
    this.#end(topic, subscription);
    // Asked for and taken back before it was answered: each request has its answer, in the order of asking.
    for (const id of subscription.unanswered.splice(0)) this.#options.send(okFrame(id));
  }

  /** A service takes it away, or who decides about it. */
  takeOut(topic: string, why: UnsubscribedFrame['reason'] = 'service'): void {
    const subscription = this.#subscriptions.get(topic);
    if (subscription) this.#takeAway(topic, subscription, why);
  }

  /** The end: whatever is joined later is ignored. */
  leaveAll(how: LeavingHow = 'lost'): void {
    this.#isOver = true;
    this.#histories.readings.end();
    for (const [topic, subscription] of [...this.#subscriptions])
      this.#end(topic, subscription, undefined, how);
    this.#options.presence.over(how);
  }

  /** What the session may do has changed: what it may not have any more is taken away. */
  review(): void {
    this.#histories.readings.review();
    for (const [topic, subscription] of [...this.#subscriptions]) {
      const decision = this.#options.access.decide('subscribe', topic);
      if (decision === 'forbid') this.#takeAway(topic, subscription, 'revoked');
      else if (decision === 'allow') this.#allowances.delete(topic);
      else if (subscription.membership !== undefined) this.#allowances.review(topic);
    }
  }

  /** Asks the application again for what it has allowed until now. */
  sweep(nowMs: number): void {
    this.#allowances.sweep(nowMs);
  }

  /**
   * To be awaited before the connection is left for another. true: all that was published before the call has been sent to
   * it, and, with a mark, nothing younger than that. false: after `timeoutMs` at most that could not be shown, and each topic was
   * told a gap.
   */
  async settle(
    timeoutMs: number,
    { session, to }: Departure,
  ): Promise<{ isFenced: boolean; mark: string | undefined }> {
    if (this.size === 0) return { isFenced: true, mark: undefined };
    // Of these nothing has come yet, and the next edge does not know that.
    for (const [topic, subscription] of [...this.#subscriptions]) {
      const { isBound, missed, wanted } = subscription;
      if (isBound || missed === undefined) continue;
      if (wanted.since === undefined) this.#options.gap(missed, topic);
      this.#end(topic, subscription);
    }
    let mark: string | undefined;
    const reached = (name: string) => {
      mark = name;
      for (const topic of this) this.#listening.stop(topic);
    };
    const dropped = () => this.tell(this, gapReasons.overflow);
    const leaving = to === undefined ? undefined : { session, to, reached, dropped };
    if (await this.#topics.fence(timeoutMs, leaving)) return { isFenced: true, mark };
    this.tell(this, gapReasons.connectionLost);
    return { isFenced: false, mark: undefined };
  }

  /** Tells what was dropped for the connection, if anything was. */
  tellDropped(): void {
    if (this.#connection.takeDropped()) this.tell(this, gapReasons.slowConsumer);
  }

  /** The network has taken something of what was buffered. */
  drained(): void {
    const { bufferedBytes, roomBytes } = this.#connection;
    const isRoom =
      roomBytes > this.size * mostGapBytes || bufferedBytes <= (this.#options.highWatermarkBytes ?? 0);
    if (isRoom) this.tellDropped();
    this.#histories.drained();
  }

  /** A message with a position was dropped, for the client is too far behind. True: it comes once it has caught up. */
  dropped(place: Place): boolean {
    return this.#histories.dropped(place);
  }

  /** The session is here; `sent`: up to where another edge has sent topics with history. */
  welcomed(sent: Readonly<Record<string, string>> | undefined): void {
    this.#histories.welcomed(sent);
  }

  /** From here on topics with history are another edge's to send. */
  leaveHistories(): void {
    this.#histories.leave();
  }

  /** Messages of these may be missing. */
  tell(topics: Iterable<string>, reason: GapReason): void {
    for (const topic of topics) this.#options.gap(reason, topic);
  }

  /** The connection is gone: what it could not be told any more is left in doubt. */
  lost(): void {
    const hasDropped = this.#connection.takeDropped();
    this.#doubt = [...this].filter((topic) => hasDropped || this.#topics.isInDoubt(topic));
    this.leaveAll();
  }

  /** What whoever has the session next is to know: topics of which messages may be missing untold, and what was sent of others. */
  get remains(): { doubt?: readonly string[]; history?: Record<string, string> } {
    return { ...(this.#doubt.length > 0 && { doubt: this.#doubt }), ...this.#histories.left };
  }

  #subscribe(
    wanted: WantedTopic,
    missed: GapReason | undefined,
    decision: Exclude<Decision, 'forbid'>,
  ): Subscription {
    const { topic } = wanted;
    let settle: Subscription['settle'] = () => {};
    const settled = new Promise<unknown>((resolve) => {
      settle = resolve;
    });
    const begun = { membership: undefined, isBound: false, unanswered: [] };
    const subscription: Subscription = { ...begun, wanted, missed, settled, settle };
    this.#subscriptions.set(topic, subscription);
    this.#nameBytes += topic.length;
    if (decision === 'allow') this.#bind(topic, subscription);
    else void this.#ask(topic, subscription, decision);
    return subscription;
  }

  async #ask(topic: string, subscription: Subscription, whom: Permission['whom']): Promise<void> {
    const { access } = this.#options;
    const { is, untilMs } = await access.ask(whom, 'subscribe', topic);
    // It may have been left, or taken away, meanwhile.
    if (this.#subscriptions.get(topic) !== subscription) return;
    // By new rules nobody needs to be asked.
    if (access.decide('subscribe', topic) === 'allow') return this.#bind(topic, subscription);
    if (is === 'busy') return this.#failed(topic, subscription, cannotAsk);
    if (is !== 'allow') return this.#takeAway(topic, subscription, 'service');
    this.#allowances.set(topic, untilMs);
    this.#bind(topic, subscription);
  }

  #bind(topic: string, subscription: Subscription): void {
    const { missed } = subscription;
    const { uid, move } = this.#connection.claims;
    const membership = this.#topics.join(topic, move === undefined ? uid : undefined);
    subscription.membership = membership;
    membership.bound.then(
      async () => {
        const isWanted = () => this.#subscriptions.get(topic) === subscription;
        if (missed !== undefined) await caughtUp(this.#topics, isWanted, () => subscription.settle());
        this.#bound(topic, subscription);
      },
      (error: unknown) => this.#refused(topic, subscription, error),
    );
  }

  /** The user may not have it. Who asked for it and has no answer yet is refused; who has it is told that it ends. */
  #takeAway(topic: string, subscription: Subscription, why: UnsubscribedFrame['reason']): void {
    const { isBound, unanswered } = subscription;
    this.#end(topic, subscription);
    if (!isBound) return this.#forbid(topic, unanswered.length > 0 ? unanswered : [undefined]);
    this.#options.access.tookAway(why);
    this.#options.send(unsubscribedFrame(topic, why));
  }

  /** `ids`: of the requests for it; undefined: it was named in hello. */
  #forbid(topic: string, ids: readonly (string | undefined)[]): void {
    const { access, send } = this.#options;
    access.forbade('subscribe');
    for (const id of ids) send(forbiddenFrame(id, 'subscribe to', topic));
  }

  #bound(topic: string, subscription: Subscription): void {
    // It may have been left while the broker was binding.
    if (this.#subscriptions.get(topic) !== subscription) return;
    subscription.isBound = true;
    const { wanted, missed, unanswered } = subscription;
    if (!this.#histories.begin(wanted, unanswered, missed)) {
      // Before anything that a client could take for the message that follows the gap.
      if (missed) this.#options.gap(missed, topic);
      this.#listen(topic);
      for (const id of unanswered) this.#options.send(okFrame(id));
    }
    unanswered.length = 0;
    this.#options.presence.joined(topic, wanted.presence === true);
    subscription.settle();
  }

  #listen(topic: string): void {
    this.#listening.begin(topic, this.#subscriptions.get(topic)?.wanted.echo !== false);
  }

  #refused(topic: string, subscription: Subscription, error: unknown): void {
    // Also where RabbitMQ refuses it: rights come back.
    if (this.#subscriptions.get(topic) === subscription)
      this.#failed(topic, subscription, 'not subscribed: the broker is away; try again', error);
  }

  /** Who has named it in hello comes again. */
  #failed(
    topic: string,
    subscription: Subscription,
    message: string,
    why: unknown = new Error(message),
  ): void {
    this.#end(topic, subscription, why);
    for (const id of subscription.unanswered)
      this.#options.send(errorFrame(id, errorCodes.brokerUnavailable, message));
  }

  #end(topic: string, subscription: Subscription, failure?: unknown, how: LeavingHow = 'left'): void {
    this.#subscriptions.delete(topic);
    this.#nameBytes -= topic.length;
    subscription.unanswered.push(...this.#histories.end(topic));
    if (subscription.isBound) this.#listening.end(topic);
    this.#options.presence.ended(topic, how);
    subscription.membership?.release();
    this.#allowances.delete(topic);
    subscription.settle(failure);
  }
}
