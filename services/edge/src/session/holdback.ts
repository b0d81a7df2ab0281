import type { Delivery } from '@evenkeel/broker';
import { sleep } from '@evenkeel/pace';
import { type GapReason, gapReasons } from '@evenkeel/protocol';
import type { Drops } from './ports.js';

export interface HoldbackOptions {
  readonly drops: Drops;
  /** So many deliveries may be on their way; 0: what the broker may send has come, and it waits. */
  room(): number;
  /** Resolves when the broker has answered on the consumer's way; undefined: it cannot be asked. */
  barrier(): Promise<unknown> | undefined;
  /** Something before what is passed next was dropped, or may have been. Settles the seal. */
  onDropped(why: GapReason): void;
  pass(delivery: Delivery): void;
}

/** Longest wait for what was dropped before a delivery to be known. */
const lookMs = 5_000;
/**
 * What the queue had sent has come when the broker has answered so often on the consumer's way: an answer may overtake deliveries that were
 * sent since the last, and what follows an acknowledgement of before the first comes after that.
 */
const answersNeeded = 4;
/** Between two questions where there is no answer, or more was dropped or settled, ms; without any answer it is given up after so many. */
const askAgainMs = 20;
const mostUnanswered = 500;

/** Something is missing between two deliveries. */
interface Missing {
  readonly missing: GapReason;
}

interface Held {
  readonly delivery: Delivery;
  /** The broker may have waited before it. */
  readonly mayFollowWait: boolean;
}

/** What came since something may have been dropped, in order. */
interface Batch {
  readonly items: (Held | Missing)[];
  /** How many of them are deliveries. */
  count: number;
  /** Something was dropped before it, or between two of it: word of it comes by another way, sooner or later. */
  noted: GapReason | undefined;
}

/**
 * What RabbitMQ has dropped before a delivery is learnt by another way, and may come after it. Where something may have been
 * dropped, because the broker had to wait, what follows is held for a moment, until everything that was dropped before it
 * is known for sure. Doubt is a drop: the broker could not be asked.
 *
 * A queue that is too long drops only while the broker waits. What has a time to live may be dropped wherever there was something to
 * wait for, so before anything that comes in one go.
 */
export class Holdback {
  readonly #options: HoldbackOptions;
  #batches: Batch[] = [];
  #isDue = false;
  /** Something was dropped, and what is offered next may be what followed. */
  #noted: GapReason | undefined;
  /** Nobody has been told of it. */
  #isUntold = false;
  /** What was on its way when word of it came may still come. */
  #coming: Promise<void> | undefined;
  /** So many deliveries from here on may follow it. */
  #mayFollow = 0;
  /** Counts words of drops, and settlements: what follows these is on its way only now. */
  #changes = 0;
  #looking: Promise<void> | undefined;
  #doubts: number;
  #incarnation = 0;

  constructor(options: HoldbackOptions) {
    this.#options = options;
    this.#doubts = options.drops.doubts;
  }

  /** Deliveries that are held. */
  get size(): number {
    let size = 0;
    for (const { count } of this.#batches) size += count;
    return size;
  }

  get held(): readonly Delivery[] {
    return this.#batches.flatMap(({ items }) =>
      items.flatMap((item) => (isMissing(item) ? [] : item.delivery)),
    );
  }

  /** Nothing is known to have been dropped that is still to be told. */
  get isAtRest(): boolean {
    return this.#noted === undefined && this.#batches.every(({ noted }) => noted === undefined);
  }

  /** Nothing may have been dropped without word of it. */
  get isSure(): boolean {
    return this.#doubts === this.#options.drops.doubts;
  }

  /** Why something is known to be missing of which nobody has been told, and before how many of what is held. */
  get owed(): { readonly reason: GapReason; readonly before: number } | undefined {
    let before = this.size;
    for (const { items, noted } of this.#batches) {
      if (noted !== undefined) return { reason: noted, before };
      for (const item of items) {
        if (isMissing(item)) return { reason: item.missing, before };
        before -= 1;
      }
    }
    return this.#noted && { reason: this.#noted, before };
  }

  /** A new consumer: what was dropped before it is not looked for here. */
  begin(): void {
    this.#doubts = this.#options.drops.doubts;
  }

  /** Before the next delivery something may have been dropped. */
  due(): void {
    this.#isDue = true;
  }

  /** As {@link Holdback.due}, if the broker waits: it is about to be told to go on. */
  dueIfFull(): void {
    this.#changes += 1;
    if (this.#options.room() > 0) return;
    this.#isDue = true;
    // What was dropped may have been before what has come: if nothing follows now, it was.
    if (this.#noted !== undefined) this.#coming ??= this.#allHere();
  }

  offer(delivery: Delivery): void {
    const mayFollowWait = this.#isDue || delivery.mayFollowWait === true;
    const isToBeHeld = mayFollowWait || this.#noted === gapReasons.expired;
    const held = { delivery, mayFollowWait };
    const last = this.#batches.at(-1);
    if (last && (!isToBeHeld || this.#batches.length > 1)) {
      // What is not looked after yet will be, with the next look.
      last.items.push(held);
      last.count += 1;
    } else if (isToBeHeld) {
      this.#batches.push({ items: [held], count: 1, noted: undefined });
      this.#looking ??= this.#look();
    } else {
      this.#options.pass(delivery);
    }
    if (isToBeHeld) this.#tellWithLast();
    if (this.#noted === undefined) return;
    this.#mayFollow -= 1;
    if (this.#mayFollow <= 0) this.#noteOver();
  }

  /** Something is missing in this place: behind what was offered, before what comes next. */
  missing(why: GapReason): void {
    const last = this.#batches.at(-1);
    if (last) last.items.push({ missing: why });
    else this.#options.onDropped(why);
  }

  /**
   * Something was dropped: between two of what is held, or before what comes next after a wait. If nothing of the kind comes it is told
   * all the same: late is better than never.
   */
  dropped(why: GapReason): void {
    for (const batch of this.#batches) batch.noted = worse(batch.noted, why);
    if (this.#batches.length === 0) this.#isUntold = true;
    this.#noted = worse(this.#noted, why);
    this.#changes += 1;
    // The broker waited when it dropped it: behind what it had sent of what it may have sent by now.
    const room = this.#options.room();
    this.#mayFollow = Math.max(this.#mayFollow, room + 1);
    if (room > 0) this.#coming ??= this.#allHere();
    else this.#isDue = true;
  }

  /** The channel has gone, and what was delivered with it. */
  forget(): void {
    this.#incarnation += 1;
    this.#batches = [];
    this.#isDue = false;
    this.#forgetNote();
    this.#coming = undefined;
    this.#looking = undefined;
  }

  /** Resolves when no look is under way. */
  async settled(): Promise<void> {
    await this.#looking;
  }

  /** The end: what is held. */
  takeAll(): readonly Delivery[] {
    const { held } = this;
    this.forget();
    return held;
  }

  async #look(): Promise<void> {
    const { drops, onDropped, pass } = this.#options;
    const incarnation = this.#incarnation;
    for (;;) {
      const hasPassed = await drops.fence(lookMs);
      if (this.#incarnation !== incarnation) return;
      const isSure = hasPassed && drops.doubts === this.#doubts;
      this.#doubts = drops.doubts;
      const [batch] = this.#batches;
      const why = batch?.noted ?? (isSure ? undefined : gapReasons.brokerLost);
      if (why !== undefined) {
        // The seal goes, and without it the broker sends one more.
        this.dueIfFull();
        onDropped(why);
      }
      // What comes meanwhile comes behind. Before which of it something is missing nobody says: it is told wherever it may be.
      for (const [i, item] of (batch?.items ?? []).entries()) {
        if (isMissing(item)) onDropped(item.missing);
        else {
          if (why !== undefined && i > 0 && (item.mayFollowWait || why !== gapReasons.overflow))
            onDropped(why);
          pass(item.delivery);
        }
      }
      if (this.#incarnation !== incarnation) return;
      this.#batches.shift();
      if (this.#batches.length > 0) continue;
      this.#looking = undefined;
      return;
    }
  }

  /** What is known is told with what was offered last, and once more with what may have followed it as well. */
  #tellWithLast(): void {
    this.#isDue = false;
    const last = this.#batches.at(-1);
    if (this.#noted === undefined || last === undefined) return;
    last.noted = worse(last.noted, this.#noted);
    this.#isUntold = false;
    if (this.#coming === undefined) this.#forgetNote();
  }

  /** Waits until all has come that was on its way when word came of what was dropped last. */
  async #allHere(): Promise<void> {
    const incarnation = this.#incarnation;
    let answers = 0;
    let unanswered = 0;
    // What is about to be acknowledged goes first.
    await Promise.resolve();
    while (answers < answersNeeded && unanswered < mostUnanswered && this.#noted !== undefined) {
      const changes = this.#changes;
      const isAnswered = (await this.#options.barrier()) !== undefined;
      unanswered = isAnswered ? 0 : unanswered + 1;
      answers = isAnswered && changes === this.#changes ? answers + 1 : 0;
      if (answers === 0) await sleep(askAgainMs);
      if (this.#incarnation !== incarnation) return;
    }
    this.#coming = undefined;
    if (this.#noted === undefined) return;
    // The broker waits, or nobody knows: what comes next is held, and told of it.
    if (answers < answersNeeded || this.#options.room() <= 0) this.#isDue = true;
    else this.#noteOver();
  }

  #noteOver(): void {
    const why = this.#isUntold ? this.#noted : undefined;
    this.#forgetNote();
    if (why !== undefined) this.missing(why);
  }

  #forgetNote(): void {
    this.#noted = undefined;
    this.#mayFollow = 0;
    this.#isUntold = false;
  }
}

/** What has a time to live may be missing in more places. */
const worse = (one: GapReason | undefined, other: GapReason): GapReason =>
  one === gapReasons.expired ? one : other;

const isMissing = (item: Held | Missing): item is Missing => 'missing' in item;
