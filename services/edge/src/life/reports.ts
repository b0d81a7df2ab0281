import type { SessionsReport } from '@evenkeel/protocol';
import { maxSessionsInMessage } from '@evenkeel/protocol';
import type { Life } from './life.js';

/** Between two messages, ms. */
const everyMs = 200;
/** A message without a change says that this edge reports, ms. */
const quietMs = 5_000;

export interface SessionReportsOptions {
  node: { readonly name: string; readonly boot: string };
  life: Pick<Life, 'get' | 'keys' | 'leftOf' | 'onChange'>;
  send(report: SessionsReport): Promise<void>;
  /** A clock that nobody sets. */
  steadyNow(): number;
}

/**
 * Reports which sessions this edge has, so that others can see to them if it dies: what has changed since the last message, as it
 * is now, so that a move costs a few bytes in one that goes anyway.
 */
export class SessionReports {
  readonly #options: SessionReportsOptions;
  /** Changed and not reported, with the epoch of the change. */
  #changed = new Map<string, number>();
  #seq = 0;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #list: 'none' | 'wanted' | 'under-way' = 'wanted';
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SessionReportsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#options.life.onChange((key, epoch) => {
      this.#changed.set(key, epoch);
      // The first one after a while goes at once.
      if (this.#changed.size === 1) setImmediate(() => this.#tick());
    });
    this.#timer = setInterval(() => this.#tick(), everyMs);
    this.#tick();
  }

  /** Somebody does not know them all. */
  all(): void {
    if (this.#list === 'none') this.#list = 'wanted';
  }

  /** Reports what is left, unpaced: whoever takes over goes by it. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#sending;
    for (let failures = 0; failures < 2 && (this.#changed.size > 0 || this.#list !== 'none'); ) {
      await this.#send();
      if (this.#list === 'wanted') failures += 1;
    }
  }

  #tick(): void {
    const sinceMs = this.#options.steadyNow() - this.#sentAtMs;
    if (this.#timer === undefined || this.#sending !== undefined || sinceMs < everyMs) return;
    if (this.#changed.size === 0 && this.#list !== 'wanted' && sinceMs < quietMs) return;
    this.#sending = this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  async #send(): Promise<void> {
    const { send, steadyNow } = this.#options;
    this.#sentAtMs = steadyNow();
    try {
      await send(this.#next());
    } catch {
      // What it said is lost.
      this.#list = 'wanted';
    }
  }

  #next(): SessionsReport {
    const { node, life } = this.#options;
    const begins = this.#list === 'wanted';
    if (begins) {
      for (const key of life.keys()) this.#changed.set(key, life.get(key)?.epoch ?? 0);
      this.#list = 'under-way';
    }
    const held: [string, number][] = [];
    const away: [string, number, number][] = [];
    const gone: [string, number][] = [];
    let left = maxSessionsInMessage;
    for (const [key, epoch] of this.#changed) {
      if (left === 0) break;
      left -= 1;
      this.#changed.delete(key);
      const entry = life.get(key);
      if (!entry) gone.push([key, epoch]);
      else if (entry.away) away.push([key, entry.epoch, life.leftOf(entry.away)]);
      else held.push([key, entry.epoch]);
    }
    const ends = this.#list === 'under-way' && this.#changed.size === 0;
    if (ends) this.#list = 'none';
    this.#seq += 1;
    return {
      v: 1,
      node: node.name,
      boot: node.boot,
      seq: this.#seq,
      ...(begins ? { begins } : {}),
      ...(ends ? { ends } : {}),
      ...(held.length > 0 ? { held } : {}),
      ...(away.length > 0 ? { away } : {}),
      ...(gone.length > 0 ? { gone } : {}),
    } as SessionsReport;
  }
}
