import { BrokerError } from '@evenkeel/broker';
import { Fifo } from '@evenkeel/pace';

/** Limits of {@link Turns}: those that a publisher of the broker has for what waits behind it. */
export interface TurnsOptions {
  /** Events that wait at most; more reject with `publisher-overflow`. Default 10,000. */
  readonly maxWaiting?: number;
  /** Bytes of their bodies at most, 64 MiB; one may always wait. */
  readonly maxWaitingBytes?: number;
  /** How long one waits for its turn, else `publish-timeout`. Default 30,000. */
  readonly timeoutMs?: number;
  /** So many have not been sent, and are rejected with this code. */
  onGivenUp?(code: string, events: number): void;
}

interface Waiting {
  readonly events: number;
  readonly bytes: number;
  readonly deadlineMs: number;
  /** What it had to wait for itself is over. */
  isReady: boolean;
  go(): void;
  reject(error: unknown): void;
}

/**
 * What is published goes in the order of the calls, also while some of it waits for something first. Where nothing waits it goes at once.
 */
export class Turns {
  readonly #waiting = new Fifo<Waiting>();
  readonly #maxWaiting: number;
  readonly #maxWaitingBytes: number;
  readonly #timeoutMs: number;
  readonly #onGivenUp: TurnsOptions['onGivenUp'];
  #events = 0;
  #bytes = 0;
  #isHeld = false;
  #timer: NodeJS.Timeout | undefined;
  #flushed: (() => void)[] = [];

  constructor(options: TurnsOptions = {}) {
    this.#maxWaiting = options.maxWaiting ?? 10_000;
    this.#maxWaitingBytes = options.maxWaitingBytes ?? 67_108_864;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#onGivenUp = options.onGivenUp;
  }

  /** So many wait. */
  get waiting(): number {
    return this.#events;
  }

  /**
   * Calls `go` in its turn, and not before `first` is over; where that rejects, it does so too and `go` is not called. It may stand for
   * several events.
   * @throws BrokerError `publisher-overflow`, `publish-timeout`; what `first` and `go` reject with.
   */
  take<Value>(go: () => Promise<Value>, bytes: number, first?: Promise<unknown>, events = 1): Promise<Value> {
    if (first === undefined && this.#isFree) return go();
    const full = this.#full(bytes);
    if (full !== undefined) {
      first?.catch(() => {});
      return Promise.reject(this.#givenUp('publisher-overflow', full, events));
    }
    return new Promise((resolve, reject) => {
      const deadlineMs = performance.now() + this.#timeoutMs;
      const waiting: Waiting = {
        events,
        bytes,
        deadlineMs,
        isReady: first === undefined,
        go: () => resolve(go()),
        reject,
      };
      this.#waiting.push(waiting);
      this.#events += events;
      this.#bytes += bytes;
      this.#watch();
      const over = (): void => {
        waiting.isReady = true;
        this.#pump();
      };
      first?.then(over, (error: unknown) => {
        waiting.go = () => {};
        reject(error);
        over();
      });
    });
  }

  /** Nobody has a turn until what this returns is called. */
  hold(): () => void {
    this.#isHeld = true;
    return () => {
      this.#isHeld = false;
      this.#pump();
    };
  }

  /** Resolves when nothing waits any more. */
  flush(): Promise<void> {
    if (this.#isFree) return Promise.resolve();
    return new Promise((resolve) => this.#flushed.push(resolve));
  }

  /** What still waits waits no more. */
  close(error: Error): void {
    while (this.#waiting.length > 0) this.#next()?.reject(error);
    this.#watch();
  }

  get #isFree(): boolean {
    return !this.#isHeld && this.#waiting.length === 0;
  }

  #full(bytes: number): string | undefined {
    if (this.#events >= this.#maxWaiting) return `${this.#maxWaiting} events`;
    const isFull = this.#waiting.length > 0 && this.#bytes + bytes > this.#maxWaitingBytes;
    return isFull ? `${this.#bytes} bytes` : undefined;
  }

  #pump(): void {
    while (!this.#isHeld && this.#waiting.peek()?.isReady) this.#next()?.go();
    this.#watch();
  }

  #next(): Waiting | undefined {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return undefined;
    this.#events -= waiting.events;
    this.#bytes -= waiting.bytes;
    return waiting;
  }

  /** All wait equally long at most: the first is the first that is late. */
  #watch(): void {
    const first = this.#waiting.peek();
    if (first !== undefined) {
      this.#timer ??= setTimeout(() => this.#expire(), Math.max(0, first.deadlineMs - performance.now()));
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isHeld) return;
    for (const resolve of this.#flushed.splice(0)) resolve();
  }

  #expire(): void {
    this.#timer = undefined;
    // A timer may be early by what it rounds off.
    const nowMs = performance.now() + 1;
    for (let late = this.#waiting.peek(); late && late.deadlineMs <= nowMs; late = this.#waiting.peek()) {
      this.#next();
      late.reject(this.#givenUp('publish-timeout', `${this.#timeoutMs} ms`, late.events));
    }
    this.#pump();
  }

  #givenUp(code: 'publisher-overflow' | 'publish-timeout', what: string, events: number): BrokerError {
    this.#onGivenUp?.(code, events);
    const reason =
      code === 'publisher-overflow'
        ? `${what} are waiting for their turn; publish more slowly.`
        : `The event has waited ${what} for its turn, and was not sent; publish it again.`;
    return new BrokerError(code, reason);
  }
}
