import type { Delivery } from '@evenkeel/broker';
import type { Answers } from './answers.js';
import type { Following, GivenUp } from './ports.js';
import type { Position } from './position.js';
import type { Unsent } from './service-ports.js';

export interface OutboxOptions {
  window: number;
  highWatermarkBytes: number;
  /** Longest frame. */
  maxEventBytes: number;
  /** Bodies kept back. Default: 4 MiB. */
  keptBytes?: number;
  givenUp: GivenUp;
  unsent: Unsent;
  following?: Following | undefined;
  /** Of services, in parts. */
  answers: Answers;
  now: () => number;
  /** An event is about to be written; its properties are gone afterwards. Of one that is measured: when it was published. */
  onEvent?(delivery: Delivery, wallMs: number): number | undefined;
  /** One that was published at `atMs` and is measured has been acknowledged. */
  onMeasured?(atMs: number, wallMs: number): void;
  /** An event has been written, with so many bytes (of text: characters). */
  onWritten(bytes: number, nowMs: number): void;
  /** A service's reply has been written; `id`: of its request. */
  onReplied(id: string): void;
  /** An event is longer than frames may be: a gap belongs here. */
  onTooLarge(): void;
  /** The time of an event that was kept back is over: a gap belongs here. */
  onExpired(): void;
  /** What is kept back is to be asked for again: {@link Outbox.takeAway}. */
  onAway(): void;
  /** Something is about to be settled, which may make the broker go on. */
  onSettling(): void;
}

/** An event that was written and is not acknowledged. */
export interface Written {
  readonly seq: number;
  readonly delivery: Delivery;
  readonly atMs: number;
  readonly onAcked: (() => void) | undefined;
  /** Undefined: it is of a service. */
  readonly id: string | undefined;
}

/** What was given back. */
export interface Requeued {
  readonly requeued: number;
  /** How many of those (the first) and of what follows had been written somewhere; undefined: go by the broker's flag. */
  readonly suspect: number | undefined;
  /** How many had been written here, and the `seq` of the first. */
  readonly written: Omit<Position, 'connection'> | undefined;
  /** Of those that were written, and of those that are to follow, in order. */
  readonly ids: readonly string[];
  /** None of those has a time to live: they are still there when the client comes back. */
  readonly isLasting: boolean;
  /** There were frames among them, which the client has not got. */
  readonly isGapOwed: boolean;
}
