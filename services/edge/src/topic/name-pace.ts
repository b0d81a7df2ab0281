import { Fifo, TokenBucket } from '@evenkeel/pace';

export interface NamePaceOptions {
  /** Topics that are bound a second, and at once. */
  readonly topicsPerSecond: number;
  readonly topicsBurst: number;
  /** Of one user there wait as many as all its sockets may have. */
  readonly maxSocketsPerUser: number;
  readonly maxTopics: number;
  /** Whether sessions wait to be attached: those come first. */
  isBusy(): boolean;
  now(): number;
}

/** One that waits. */
interface Turn {
  take(): void;
  /** Somebody waits for it still. */
  isNeeded(): boolean;
}

const tickMs = 20;

/**
 * The pace at which topics are bound that this edge does not have yet. The broker keeps bindings where it keeps queues, and a flood
 * of them would hold up whoever attaches. Beyond the pace users take turns, so that one who asks for many waits for itself.
 */
export class NamePace {
  readonly #options: NamePaceOptions;
  readonly #bucket: TokenBucket;
  /** By user; the next one's turn is first. */
  readonly #waiting = new Map<string, Fifo<Turn>>();
  #timer: NodeJS.Timeout | undefined;
  #size = 0;

  constructor(options: NamePaceOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.topicsPerSecond, options.topicsBurst, options.now());
  }

  /** How many wait. */
  get waiting(): number {
    return this.#size;
  }

  /**
   * Calls `take` at once, or when it is the user's turn, if it is needed then. False: as many of this user's wait as may, and all
   * of them are needed.
   */
  turn(uid: string, take: () => void, isNeeded: () => boolean): boolean {
    const { isBusy, now } = this.#options;
    if (this.#size === 0 && !isBusy() && this.#bucket.tryTake(now())) {
      take();
      return true;
    }
    const own = this.#waiting.get(uid) ?? new Fifo<Turn>();
    if (!this.#hasRoom(own)) return false;
    own.push({ take, isNeeded });
    this.#waiting.set(uid, own);
    this.#size += 1;
    this.#timer ??= setInterval(() => this.#tick(), tickMs);
    return true;
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
      const turn = this.#next();
      if (turn === undefined) break;
      if (!turn.isNeeded()) continue;
      turn.take();
      this.#bucket.tryTake(now());
      taken += 1;
    }
    if (this.#size === 0) this.stop();
  }

  /** Whose subscribers have gone make room: connections that come and go leave them behind. */
  #hasRoom(own: Fifo<Turn>): boolean {
    const { maxSocketsPerUser, maxTopics } = this.#options;
    const most = maxSocketsPerUser * maxTopics;
    if (own.length < most) return true;
    const needed = own.drain().filter((turn) => turn.isNeeded());
    this.#size -= most - needed.length;
    own.prepend(needed);
    return needed.length < most;
  }

  #next(): Turn | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    const [uid, own] = first;
    const turn = own.shift();
    this.#waiting.delete(uid);
    if (own.length > 0) this.#waiting.set(uid, own);
    this.#size -= 1;
    return turn;
  }
}
