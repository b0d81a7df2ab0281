import type { Delivery } from '@evenkeel/broker';
import { type GapReason, gapReasons } from '@evenkeel/protocol';
import type { Drops } from './ports.js';

export interface HoldbackOptions {
  readonly drops: Drops;
  /** Whether the broker waits for acknowledgements, `held` deliveries included. */
  isFull(held: number): boolean;
  /** Something before what is passed next was dropped, or may have been. Settles the seal. */
  onDropped(why: GapReason): void;
  pass(delivery: Delivery): void;
}

/** Longest wait for what was dropped before a delivery to be known. */
const lookMs = 5_000;

/** Something is missing between two deliveries. */
interface Missing {
  readonly missing: GapReason;
}

/** What came since something may have been dropped, in order. */
interface Batch {
  readonly items: (Delivery | Missing)[];
  /** How many of them are deliveries. */
  count: number;
  /** Something was dropped before it, or between any two of it: word of it comes by another way, sooner or later. */
  noted: GapReason | undefined;
}

/**
 * What RabbitMQ has dropped before a delivery is learnt by another way, and may come after it. Where something may have been
 * dropped, because the broker had to wait, what follows is held for a moment, until everything that was dropped before it
 * is known for sure. Doubt is a drop: the broker could not be asked.
 */
export class Holdback {
  readonly #options: HoldbackOptions;
  #batches: Batch[] = [];
  #isDue = false;
  #noted: GapReason | undefined;
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
    if (!this.#isDue && this.#isFull()) this.#isDue = true;
  }

  offer(delivery: Delivery): void {
    const last = this.#batches.at(-1);
    if (this.#isDue) {
      this.#batches.push({ items: [delivery], count: 1, noted: this.#noted });
      this.#isDue = false;
      this.#noted = undefined;
      this.#looking ??= this.#look();
    } else if (last) {
      last.items.push(delivery);
      last.count += 1;
    } else {
      this.#options.pass(delivery);
    }
  }

  /** Something is missing in this place: behind what was offered, before what comes next. */
  missing(why: GapReason): void {
    const last = this.#batches.at(-1);
    if (last) last.items.push({ missing: why });
    else this.#options.onDropped(why);
  }

  /** Something was dropped. Told at once where nothing tells it at its place: late is better than never. */
  dropped(why: GapReason): void {
    const last = this.#batches.at(-1);
    if (!last && !this.#isDue && !this.#isFull()) return this.#options.onDropped(why);
    // Before what is held, or behind it: told at both places.
    if (last) last.noted = why;
    this.#noted = why;
    this.#isDue = true;
  }

  /** The channel has gone, and what was delivered with it. */
  forget(): void {
    this.#incarnation += 1;
    this.#batches = [];
    this.#isDue = false;
    this.#noted = undefined;
    this.#looking = undefined;
  }

  /** Resolves when no look is under way. */
  async settled(): Promise<void> {
    await this.#looking;
  }

  /** The end: what is held, and what is known to have been dropped before it. */
  takeAll(): { held: readonly Delivery[]; noted: GapReason | undefined } {
    const items = this.#batches.flatMap((batch) => batch.items);
    const held = items.filter((item): item is Delivery => !isMissing(item));
    const noted = this.#batches.find((batch) => batch.noted !== undefined)?.noted ?? this.#noted;
    const missing = items.find(isMissing)?.missing;
    this.forget();
    return { held, noted: noted ?? missing };
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
      // What comes meanwhile comes behind. Where in it something is missing nobody says: it is told before each.
      for (const [i, item] of (batch?.items ?? []).entries()) {
        if (why !== undefined && i > 0) onDropped(why);
        if (isMissing(item)) onDropped(item.missing);
        else pass(item);
      }
      if (this.#incarnation !== incarnation) return;
      this.#batches.shift();
      if (this.#batches.length > 0) continue;
      this.#looking = undefined;
      return;
    }
  }

  #isFull(): boolean {
    return this.#options.isFull(this.size);
  }
}

const isMissing = (item: Delivery | Missing): item is Missing => 'missing' in item;
