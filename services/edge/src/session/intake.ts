import { randomBytes } from 'node:crypto';
import type { Consumer, Delivery } from '@evenkeel/broker';
import { type CloseCode, closeCodes, exchanges, type GapReason, gapReasons } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { Acks } from './acks.js';
import { type GivenBack, givenBack, whereOf } from './given-back.js';
import { Holdback } from './holdback.js';
import { isOnlyOnline } from './marks.js';
import type { Outbox } from './outbox.js';
import { PassedBy } from './passed-by.js';
import type { Drops, Handover, SessionQueue } from './ports.js';
import { type QueueChanged, QueueChanges } from './queue-change.js';
import { Seal } from './seal.js';
import { SealLook } from './seal-look.js';
import { noTaker, type SealTaker, type Vouch, vouchFor } from './vouch.js';

export interface IntakeOptions {
  readonly claims: TicketClaims;
  readonly queue: SessionQueue;
  readonly handover: Handover;
  readonly drops: Drops;
  readonly outbox: Outbox;
  readonly isBare: boolean;
  /** Events in the queue at which it drops the oldest. */
  readonly maxLength: number;
  /** Events that the broker sends ahead of acknowledgements. */
  readonly window: number;
  /** A delivery has come: the session is consuming, whatever the broker has answered so far. */
  onDelivering(): void;
  /** Whether deliveries are still written here. */
  isTaking(): boolean;
  /** Whether it is no event but a service's order, which has been seen to. */
  isOrder?(delivery: Delivery): boolean;
  /** Whether the session is here to stay: attached, its connection open. */
  isLive(): boolean;
  isOpen(): boolean;
  onGap(reason: GapReason): void;
  /** Another edge has the session, or its queue cannot be consumed any more: its connection is to close. */
  onEnd(why: CloseCode): void;
  now(): number;
}

/** A client is behind that has so much of its window, or has had something for so many ms without acknowledging anything. */
const behind = { part: 0.75, afterMs: 1_000 };
/** Other edges have so long to answer whether they have the session, and to let it go with what its client is still to get there, ms. */
const others = { askMs: 300, leaveMs: 3_000 };

/** What comes from a session's queue, through losses of the broker, on its way to the outbox. */
export class Intake {
  readonly seal: Seal;
  readonly changes = new QueueChanges();
  /** When its client has last acknowledged anything; undefined: not yet. */
  ackedAtMs: number | undefined;
  readonly #holdback: Holdback;
  readonly #acks: Acks;
  readonly #options: IntakeOptions;
  #consumer: Consumer | undefined;
  readonly #look: SealLook;
  #isConsuming = false;
  #fetching: Promise<void> | undefined;
  #isStopping = false;
  #wasFull = false;
  /** Nothing at the queue's head shows whether something was dropped between its last consumer and this one. */
  #isUnproven = false;
  readonly #passedBy: PassedBy;
  /** RabbitMQ has dropped something before this edge consumes. */
  droppedBefore: GapReason | undefined;
  /** Of the connection that has the session here still: it is to hear of it as well. */
  follows: Pick<Intake, 'dropped'> | undefined;
  #hasGivenBack = false;
  /** Deliveries settled when it asked for no more; undefined: the broker has not answered. */
  #settledAtCancel: number | undefined;
  /** So many of the next deliveries were in the queue before its client was back, and it was bound here; undefined: or nobody knows. */
  #queued: number | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    const { claims, queue, outbox, drops, isBare, window, now } = options;
    this.seal = new Seal({
      plant: (name, isFirst) => queue.plant(name, isFirst),
      hurry: (at) => queue.hurryPlanting(at),
      leave: (name, delivery) => queue.leaveSeal(name, delivery),
      takeBack: (name) => queue.takeSeal(name),
      node: queue.node,
      newName: () => randomBytes(9).toString('base64url'),
      counts: this,
      unsettled: () => [...outbox.unsettled, ...this.#holdback.held],
      seq: () => outbox.lastSeq,
      whyDropped: (sinceMs) => drops.whyOf(`${claims.uid}.${claims.sid}`, sinceMs),
      isOfCluster: () => queue.isOfCluster,
      onGap: (reason) => options.onGap(reason),
      onPassedBy: (isOver) => this.#passedBy.mark(isOver),
      onLacking: () => outbox.lostPlace(),
      isBare,
      now,
    });
    this.#look = new SealLook({
      seal: this.seal,
      consumer: () => this.#consumer,
      isLive: options.isLive,
      onOther: () => this.#standBack(),
    });
    this.#holdback = new Holdback({
      drops,
      room: () => this.#consumer?.room ?? window + 1,
      barrier: () => this.#consumer?.barrier(),
      onDropped: (why) => this.seal.broken(why),
      pass: (delivery) => outbox.offer(delivery),
    });
    this.#passedBy = new PassedBy({
      begin: (why) => {
        this.#holdback.dueIfFull();
        return this.seal.spoil(why, true);
      },
      tell: (why) => this.#holdback.missing(why),
    });
    this.#acks = new Acks({
      outbox,
      queue,
      maxLength: options.maxLength,
      isToBeLookedAt: () => options.isLive() && this.seal.isUnwatched,
      onOverflow: () => this.seal.broken(gapReasons.overflow),
    });
  }

  /** Deliveries that have come, but for seals. */
  get offered(): number {
    return this.#options.outbox.offered + this.#holdback.size;
  }

  /** Those of them that are not held back. */
  get passed(): number {
    return this.#options.outbox.offered;
  }

  /** Those of them that are not settled. */
  get unacked(): number {
    return this.#options.outbox.unacked + this.#holdback.size;
  }

  /** Nothing may have been dropped since it came here without word of it, and nothing can be. */
  get isWatched(): boolean {
    return this.#holdback.isSure && !this.#options.queue.isOfCluster;
  }

  /** What is known of the queue's head; to be called before it is consumed. */
  begin(vouch: Vouch): void {
    this.follows = undefined;
    this.#isUnproven = vouch.is === 'coming';
    this.seal.begin(vouch);
  }

  /** The next delivery waits until what was dropped before it is known, such as what had a time to live. `queued`: messages that wait. */
  holdNext(queued = 0): void {
    this.#queued = queued;
    this.#holdback.due();
  }

  /** The client has handled everything up to `seq`, and is at work on what follows. False when `seq` was never sent. */
  acknowledge(seq: number, isBusy = false): boolean {
    if (!this.#acks.take(seq)) return false;
    this.ackedAtMs = this.#options.now();
    if (isBusy) this.#options.outbox.busy();
    this.seal.acked(seq);
    return true;
  }

  /** Something is about to be settled. */
  readonly settling = (): void => this.#holdback.dueIfFull();

  /** RabbitMQ has dropped something from the queue; not from one that is its own no more, and has come back with a node of the broker. */
  dropped(why: GapReason, generation = this.#options.queue.generation): void {
    if (this.#hasGivenBack || (generation < this.#options.queue.generation && !this.changes.isOn)) return;
    if (!this.#isConsuming) {
      // What went before shows in whether the seal comes, if it is to come first.
      this.droppedBefore = why;
      this.follows?.dropped(why, generation);
      return;
    }
    // Before the seal has come it is not known whether it was dropped as well; then it goes without saying.
    if (this.seal.isExpected) this.#holdback.due();
    // It is no proof any more for whoever comes next, should this edge die now. A full queue drops it itself when it comes back.
    else if (why === gapReasons.expired) {
      // Without it the broker sends one more.
      this.#holdback.dueIfFull();
      this.seal.spoil(why);
    }
    this.#holdback.dropped(why);
  }

  /** Once a second. */
  sweep(): void {
    const { outbox } = this.#options;
    this.seal.heard(false);
    if (outbox.answers.asks.isLapsed(outbox.firstUnacked)) outbox.ack(outbox.firstUnacked);
    outbox.sweep();
  }

  /** Consumes from now on. Deliveries may come before it resolves. */
  async start(): Promise<void> {
    if (this.#isUnproven) this.#holdback.due();
    else this.#holdback.begin();
    await this.#consume();
  }

  /** What the outbox has without a body comes once more. */
  fetchAgain(): void {
    this.#fetching ??= this.#fetchAgain().finally(() => {
      this.#fetching = undefined;
    });
  }

  get home(): string | undefined {
    return this.#options.queue.home;
  }

  /** Goes on with another queue, made where this edge is connected; not where something was dropped or its client is behind. */
  async changeQueue(): Promise<QueueChanged> {
    const { outbox, queue, isLive, isOpen, onEnd, now } = this.#options;
    const isBehind = outbox.isFull || (this.unacked > 0 && now() - (this.ackedAtMs ?? 0) > behind.afterMs);
    const isAtRest = this.seal.isAtRest && !this.#passedBy.isOn && this.#holdback.isAtRest;
    if (!isAtRest || isBehind || this.changes.isOn || this.#fetching || this.#isStopping || !isLive())
      return { outcome: 'as-before' };
    const next = queue.next();
    const isSettled = () => this.unacked === 0 && this.#fetching === undefined;
    const letGo = async () => await this.#consumer?.cancel();
    const outcome = await this.changes.run({ next, isSettled, isOpen, letGo, goOn: () => this.#goOn() });
    if (outcome === 'given-up' && !this.#isStopping) onEnd(closeCodes.brokerUnavailable);
    if (outcome === 'as-before' || outcome === 'lost') return { outcome };
    const onLate = () => !this.#isStopping && this.seal.broken(gapReasons.brokerLost, true);
    return { outcome, retire: async () => void ((await next.retire()) || onLate()) };
  }

  async #goOn(): Promise<void> {
    const { owed } = this.seal.giveBack(noTaker);
    this.seal.begin(owed ? { is: 'told', reason: owed } : { is: 'fresh' });
    this.#options.outbox.lostPlace();
    this.#holdback.due();
    await this.#consume();
  }

  /** Nothing comes any more once it has resolved. `sealWaitMs`: until then it goes on for a seal that is on its way. */
  async stop(sealWaitMs: number): Promise<void> {
    this.#isStopping = true;
    this.#wasFull = this.#options.outbox.isFull;
    await this.changes.leave();
    await this.#fetching;
    if (sealWaitMs > 0) await this.seal.settled(sealWaitMs);
    this.#look.stop();
    const settled = this.offered - this.unacked;
    if (await this.#consumer?.cancel()) this.#settledAtCancel = settled;
    await this.#holdback.settled();
  }

  /**
   * Gives back, in order, what is not acknowledged; to be called once it has stopped. Resolves when the queue has it in its
   * places, so that the next edge may look.
   */
  async giveBack(taker: SealTaker): Promise<GivenBack> {
    // With the seal left here there may be nothing to give back, and nothing that the broker has not confirmed.
    const isDone = this.unacked === 0 && this.#settledAtCancel === this.offered;
    this.seal.owe(this.#holdback.owed);
    const { isOnItsWay } = this.seal;
    const { seal, owed } = this.seal.giveBack(taker);
    const held = this.#holdback.takeAll();
    const all = this.#options.outbox.requeueAll();
    for (const delivery of held) delivery.requeue();
    const isThere = (isDone && seal?.at !== undefined) || (await this.#consumer?.barrier()) !== undefined;
    // A channel that has gone may have taken acknowledgements with it; and not consumed, nothing is known of what is in it.
    const isKnown = this.#isConsuming && isThere && !this.changes.hasLost;
    // What was dropped while nobody here heard of it no seal shows that comes only now.
    const isUnheard = isOnItsWay && ((!isThere && this.#consumer !== undefined) || !this.#holdback.isSure);
    const lost = this.changes.hasLost || isUnheard ? gapReasons.brokerLost : undefined;
    // What came back may have been too much for the queue.
    const dropped = this.#holdback.owed?.reason ?? (this.#isUnproven ? this.droppedBefore : undefined);
    this.#hasGivenBack = true;
    this.follows = undefined;
    // Nor whether it is there at all, and bound: whoever is next is to look.
    const isFull = this.#wasFull || this.changes.isUnsure || !isThere;
    const missing = dropped ?? this.#passedBy.untold ?? lost;
    return givenBack(isKnown, all, { seal, owed }, missing, { isFull, ...whereOf(this.#options.queue) });
  }

  async #consume(): Promise<void> {
    this.#isConsuming = true;
    if (this.#isUnproven && this.droppedBefore) this.dropped(this.droppedBefore);
    this.#isUnproven = false;
    this.#consumer = undefined;
    this.#consumer = await this.#options.queue.consume({
      onDelivery: (delivery) => this.#onDelivery(delivery),
      onLost: () => this.#onLost(),
      onFound: (counts, isLost) => this.#onFound(counts, isLost),
      onRestored: () => {
        this.changes.restored();
        this.#look.soon();
      },
    });
    // It was not there yet for whoever has stopped meanwhile.
    if (this.#isStopping) return void (await this.#consumer.cancel());
    this.#look.soon();
  }

  /** Only without a consumer they go back to their places, and not at once to where they were. */
  async #fetchAgain(): Promise<void> {
    const consumer = this.#consumer;
    await consumer?.cancel();
    await this.#holdback.settled();
    if (this.#isStopping) return;
    const away = this.#options.outbox.takeAway();
    this.seal.comeAgain(away);
    for (const delivery of away) delivery.requeue();
    // A channel that goes now tells nobody: its consumer is cancelled.
    if ((await consumer?.barrier()) === undefined) this.#onLost();
    await this.#consumeAgain();
  }

  async #consumeAgain(): Promise<void> {
    // Nobody consumed for a moment, so something may have been dropped.
    this.#holdback.due();
    try {
      if (!this.#isStopping) await this.#consume();
    } catch {
      this.#options.onEnd(closeCodes.brokerUnavailable);
    }
  }

  #onDelivery(delivery: Delivery): void {
    const { onDelivering, isTaking, isOrder } = this.#options;
    onDelivering();
    if (this.#queued === 0) this.#passedBy.bound();
    const isQueued = (this.#queued ?? 0) > 0 && !delivery.redelivered;
    this.#queued = this.#queued ? this.#queued - 1 : undefined;
    if (!isTaking()) return delivery.requeue();
    if (isOrder?.(delivery) || this.changes.takes(delivery) || this.seal.take(delivery)) {
      if (delivery.mayFollowWait) this.#holdback.due();
      return;
    }
    // Replies come by another binding.
    if (delivery.exchange === exchanges.events) this.#passedBy.tell();
    // One that comes once more came for a connection that there was.
    if (isQueued && isOnlyOnline(delivery)) this.#options.outbox.turnAway(delivery);
    else this.#holdback.offer(delivery);
    if (this.unacked >= this.#options.window * behind.part) this.seal.hurry();
  }

  #onLost(): void {
    this.#look.stop();
    this.changes.lost();
    this.#queued = undefined;
    this.seal.owe(this.#holdback.owed);
    // It counts what is unacknowledged.
    this.seal.lost();
    this.#options.outbox.forget();
    this.#holdback.forget();
  }

  /**
   * Another has come at the very same time, and is served: only who has the newer ticket may go on. It does not wait for its turn: once the
   * other consumes no more it would be served before what was delivered there is back.
   */
  async #standBack(): Promise<void> {
    await this.#consumer?.cancel();
    if ((await this.#isFree(others.leaveMs)) && this.offered === 0) await this.#consumeAgain();
    else if (!this.#isStopping) this.#options.onEnd(closeCodes.takeoverFailed);
  }

  /** Rejects while another consumes the queue: behind one that lives events would come out of order. It is tried again. */
  async #onFound(found: { messages: number; consumers: number } | undefined, isLost = false): Promise<void> {
    // Its consumer had been cancelled, and nobody was told.
    if (this.#fetching) this.#onLost();
    this.#holdback.begin();
    this.#holdback.due();
    const isFull = (found?.messages ?? 0) >= this.#options.maxLength;
    this.seal.found(found !== undefined, isFull, isLost ? gapReasons.brokerLost : gapReasons.sessionExpired);
    if (found === undefined || found.consumers === 0) return;
    if (await this.#isFree()) return;
    throw new Error('its queue has another consumer');
  }

  /** Whether the edge that consumes the queue has let it go. It may also be this one's own consumer, of the lost connection. */
  async #isFree(timeoutMs = others.askMs): Promise<boolean> {
    const { claims, handover, onEnd } = this.#options;
    const { outcome, seal, owed } = await handover.search(claims, timeoutMs);
    if (outcome === 'refused') onEnd(closeCodes.superseded);
    if (outcome === 'released') this.seal.begin(owed ? { is: 'owed', reason: owed } : vouchFor(seal));
    return outcome === 'released';
  }
}
