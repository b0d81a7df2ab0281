import type { Delivery } from '@evenkeel/broker';
import type { Answers } from './answers.js';
import type { Following, GivenUp, TooLarge } from './ports.js';

export interface OutboxOptions {
  window: number;
  highWatermarkBytes: number;
  /** Longest frame. */
  maxEventBytes: number;
  /** Bodies kept back. Default: 4 MiB. */
  keptBytes?: number;
  givenUp: GivenUp;
  tooLarge: TooLarge;
  following?: Following | undefined;
  /** Of services, in parts. */
  answers: Answers;
  now: () => number;
  /** An event is about to be written; its properties are gone afterwards. Of one that is measured: when it was published. */
  onEvent?(delivery: Delivery, wallMs: number): number | undefined;
  /** One that was published at `atMs` and is measured has been acknowledged. */
  onMeasured?(atMs: number, wallMs: number): void;
  /** An event has been written, with so many bytes (of text: characters). */
  onWritten(bytes: number): void;
  /** A service's reply has been written; `id`: of its request. */
  onReplied(id: string): void;
  /** An event is longer than frames may be: a gap belongs here. */
  onTooLarge(): void;
  /** What is kept back is to be asked for again: {@link Outbox.takeAway}. */
  onAway(): void;
  /** Something is about to be settled, which may make the broker go on. */
  onSettling(): void;
}
