import { Fifo, TokenBucket } from '@evenkeel/pace';

export interface NamePaceOptions {
  readonly perSecond: number;
  readonly burst: number;
  /** Whether sessions wait to be attached: those come first. */
  isBusy(): boolean;
  now(): number;
}

/** Takes its turn; false: it is not needed any more. */
type Take = () => boolean;

const tickMs = 20;

/**
 * The pace at which topics are bound that this edge does not have yet. The broker keeps bindings where it keeps queues, and a flood
 * of them would hold up whoever attaches. Beyond the pace users take turns, so that one who asks for many waits for itself.
 */
export class NamePace {
  readonly #options: NamePaceOptions;
  readonly #bucket: TokenBucket;
  /** By user; the next one's turn is first. */
  readonly #waiting = new Map<string, Fifo<Take>>();
  #timer: NodeJS.Timeout | undefined;
  #size = 0;

  constructor(options: NamePaceOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.perSecond, options.burst, options.now());
  }

  /** How many wait. */
  get waiting(): number {
    return this.#size;
  }

  /** Calls `take` at once, or when it is the user's turn. */
  turn(uid: string, take: Take): void {
    const { isBusy, now } = this.#options;
    if (this.#size === 0 && !isBusy() && this.#bucket.tryTake(now())) {
      take();
      return;
    }
    const own = this.#waiting.get(uid) ?? new Fifo<Take>();
    own.push(take);
    this.#waiting.set(uid, own);
    this.#size += 1;
    this.#timer ??= setInterval(() => this.#tick(), tickMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#waiting.clear();
    this.#size = 0;
  }

  #tick(): void {
    const { isBusy, now } = this.#options;
    // One all the same: sessions that attach may wait for a topic of theirs.
    const most = isBusy() ? 1 : this.#bucket.available(now());
    for (let taken = 0; taken < most; ) {
      const take = this.#next();
      if (take === undefined) break;
      if (!take()) continue;
      this.#bucket.tryTake(now());
      taken += 1;
    }
    if (this.#size === 0) this.stop();
  }

  #next(): Take | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    const [uid, own] = first;
    const take = own.shift();
    this.#waiting.delete(uid);
    if (own.length > 0) this.#waiting.set(uid, own);
    this.#size -= 1;
    return take;
  }
}
