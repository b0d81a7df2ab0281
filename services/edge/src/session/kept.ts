import type { Delivery } from '@evenkeel/broker';
import { discarded } from '../memory/discarded.js';
import type { Marks } from './marks.js';

/** Most that an edge keeps of bodies for a client that does not read. */
export const maxKeptBytes = 4_194_304;

/**
 * What is kept back for a client that does not read: deliveries, and frames that belong between them, in order. Of deliveries beyond
 * a number of bytes only the place is kept; the broker has them, and is asked for them once more when it is their turn.
 */
export class Kept {
  readonly #maxBytes: number;
  #items: (Delivery | string)[] = [];
  #bytes = 0;
  #frames = 0;
  /** Those without a body; everything that is delivered behind one is one as well. */
  readonly #hollow = new Set<Delivery>();
  /** Of those of which anything is said. */
  readonly #marks = new Map<Delivery, Marks>();
  /** Frames that belong behind so many of the deliveries that come once more. */
  #owed: { after: number; readonly frame: string }[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** Deliveries. */
  get size(): number {
    return this.#items.length - this.#frames;
  }

  get deliveries(): readonly Delivery[] {
    return this.#items.filter((item) => typeof item !== 'string');
  }

  /** Of bodies. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there are frames that have not been sent. */
  get hasFrames(): boolean {
    return this.#frames > 0 || this.#owed.length > 0;
  }

  add(delivery: Delivery, marks?: Marks): void {
    this.#items.push(delivery);
    if (marks) this.#marks.set(delivery, marks);
    const bytes = this.#bytes + delivery.body.length;
    if (this.#hollow.size === 0 && (this.#bytes === 0 || bytes <= this.#maxBytes)) {
      this.#bytes = bytes;
      return;
    }
    discarded(delivery.body);
    delivery.forgetContent();
    this.#hollow.add(delivery);
  }

  /** Takes out those of this key that `isFree` lets go. */
  takeOlder(key: string, isFree: (delivery: Delivery) => boolean): Delivery[] {
    if (this.#marks.size === 0) return [];
    const older = [...this.#marks].filter(([each, marks]) => marks.key === key && isFree(each));
    for (const [delivery] of older) {
      this.#items.splice(this.#items.indexOf(delivery), 1);
      this.#left(delivery);
    }
    return older.map(([delivery]) => delivery);
  }

  /** Whether the time of what is next is over. What is to come once more has its time in the queue. */
  isOver(nowMs: number): boolean {
    const [first] = this.#items;
    if (this.#marks.size === 0 || typeof first !== 'object' || this.#hollow.has(first)) return false;
    const untilMs = this.#marks.get(first)?.untilMs;
    return untilMs !== undefined && nowMs >= untilMs;
  }

  insert(frame: string): void {
    this.#items.push(frame);
    this.#frames += 1;
  }

  get next(): Delivery | string | undefined {
    return this.#items[0];
  }

  /** Whether what is next has to come once more. */
  get isAway(): boolean {
    const [first] = this.#items;
    return typeof first === 'object' && this.#hollow.has(first);
  }

  /** Takes the next one, which is not away. */
  take(): Delivery | string | undefined {
    const first = this.#items.shift();
    if (typeof first === 'string') this.#frames -= 1;
    else if (first) this.#left(first);
    return first;
  }

  /** The deliveries that are to come once more, to be given back; nothing is kept any more, but frames between them. */
  takeAway(): Delivery[] {
    const taken: Delivery[] = [];
    for (const item of this.#items) {
      if (typeof item === 'string') this.#owed.push({ after: taken.length, frame: item });
      else taken.push(item);
    }
    this.#clear();
    return taken;
  }

  /** A delivery has been offered: the frames that belong behind it. */
  due(): string[] {
    if (this.#owed.length === 0) return none;
    const frames: string[] = [];
    for (const each of this.#owed) {
      each.after -= 1;
      if (each.after <= 0) frames.push(each.frame);
    }
    this.#owed = this.#owed.filter(({ after }) => after > 0);
    return frames;
  }

  /** The broker has the deliveries again by itself; the frames stay. */
  forget(): void {
    const frames = this.#items.filter((item) => typeof item === 'string');
    frames.push(...this.#owed.map(({ frame }) => frame));
    this.#clear();
    this.#owed = [];
    for (const frame of frames) this.insert(frame);
  }

  /** The end: the deliveries, in order. */
  takeAll(): Delivery[] {
    const taken = this.takeAway();
    this.#owed = [];
    return taken;
  }

  #left(delivery: Delivery): void {
    this.#marks.delete(delivery);
    if (!this.#hollow.delete(delivery)) this.#bytes -= delivery.body.length;
  }

  #clear(): void {
    this.#items = [];
    this.#bytes = 0;
    this.#frames = 0;
    this.#hollow.clear();
    this.#marks.clear();
  }
}

const none: string[] = [];
