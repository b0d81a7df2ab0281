import { BrokerError } from '@evenkeel/broker';
import { Fifo } from '@evenkeel/pace';

/** As many as keep the channels busy that queues are looked up, declared and bound on, twice over. */
const atATime = 16;
/** Longest that anybody waits, ms: less than a client waits for its welcome. */
const longestWaitMs = 30_000;

interface Waiting {
  readonly sinceMs: number;
  /** False: called off. */
  begin(isOn: boolean): void;
  /** It has waited too long. */
  readonly timer: NodeJS.Timeout;
}

/**
 * Sessions whose queues are being looked up and made: a few at a time, in the order in which they came. All at once would each wait for
 * all the others at every step, so that in a crowd none were there before the last, and those behind RabbitMQ's time limit began anew.
 */
export class Entrance {
  readonly #now: () => number;
  #free = atATime;
  /** By whom it is for, in the order of their coming. */
  readonly #waiting = new Map<object, Waiting>();
  /** They were at it before, and go on first. */
  readonly #back = new Fifo<() => void>();

  /** `now`: ms, of a clock that nobody sets. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How long the one that comes next has waited, ms; 0: nobody waits. */
  get waitedMs(): number {
    const [first] = this.#waiting.values();
    return first === undefined ? 0 : this.#now() - first.sinceMs;
  }

  /** Does the work when it is its turn; undefined: it was called off before. @throws BrokerError when its turn does not come. */
  async enter<Result>(who: object, work: () => Promise<Result>): Promise<Result | undefined> {
    if (this.#free > 0) this.#free -= 1;
    else if (!(await this.#turnOf(who))) return undefined;
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  /** Waits for something else in the middle of its work, and leaves its place to others meanwhile. */
  async aside<Result>(wait: () => Promise<Result>): Promise<Result> {
    this.#pass();
    try {
      return await wait();
    } finally {
      if (this.#free > 0) this.#free -= 1;
      else await new Promise<void>((resolve) => this.#back.push(resolve));
    }
  }

  /** Nobody wants it any more, if it waits. */
  callOff(who: object): void {
    this.#take(who)?.begin(false);
  }

  #turnOf(who: object): Promise<boolean> {
    return new Promise((begin, reject) => {
      const timer = setTimeout(() => {
        this.#take(who);
        reject(
          new BrokerError('broker-unavailable', 'RabbitMQ is behind with sessions that attach; try again.'),
        );
      }, longestWaitMs);
      this.#waiting.set(who, { sinceMs: this.#now(), begin, timer });
    });
  }

  #take(who: object): Waiting | undefined {
    const waiting = this.#waiting.get(who);
    clearTimeout(waiting?.timer);
    this.#waiting.delete(who);
    return waiting;
  }

  #pass(): void {
    const back = this.#back.shift();
    if (back) return back();
    const [next] = this.#waiting.keys();
    if (next === undefined) this.#free += 1;
    else this.#take(next)?.begin(true);
  }
}
