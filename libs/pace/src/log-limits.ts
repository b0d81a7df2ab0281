import { LogLimit } from './log-limit.js';

/** Kinds of messages told apart by default. */
const defaultKinds = 64;

/** Lets one message of each kind through per interval and counts the rest. */
export class LogLimits {
  readonly #everyMs: number;
  readonly #maxKinds: number;
  readonly #limits = new Map<string, LogLimit>();

  /** `maxKinds`: told apart at most; further ones share one limit. */
  constructor(everyMs: number, maxKinds = defaultKinds) {
    this.#everyMs = everyMs;
    this.#maxKinds = maxKinds;
  }

  /** As {@link LogLimit.pass}, of this kind. Kinds are few: codes, not names. */
  pass(kind: string, nowMs: number): number | undefined {
    const key = this.#limits.has(kind) || this.#limits.size < this.#maxKinds ? kind : '';
    let limit = this.#limits.get(key);
    if (limit === undefined) {
      limit = new LogLimit(this.#everyMs);
      this.#limits.set(key, limit);
    }
    return limit.pass(nowMs);
  }
}
