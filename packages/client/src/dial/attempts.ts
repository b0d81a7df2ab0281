import { backoffMs, monotonicNow } from '@evenkeel/pace';
import { afterClose, type Placement } from '@evenkeel/protocol/wire';
import { ClientError, reasonOf } from '../errors.js';
import * as limits from '../limits.js';
import type { StatusFeed } from '../status.js';
import { timerMs } from '../time.js';
import { LookupError } from './gateway.js';
import type { DialOptions } from './options.js';
import { place } from './place.js';
import { withTried } from './tried.js';
import { whyFailed } from './why.js';

/** Who attempts, and learns what came of them. */
export interface AttemptHost {
  readonly session: string | undefined;
  readonly from: readonly string[];
  readonly statusFeed: StatusFeed;
  placed(placement: Placement): void;
  /** Trying again is no use. */
  refused(error: ClientError): void;
}

/** Attempts to connect: look-ups at the gateway and the waits between them. */
export class Attempts {
  /** Failed ones since the last stable connection. */
  #count = 0;
  /** 401 answers in a row, and when the first came. */
  #refusals = 0;
  #refusedAtMs = 0;
  /** Nodes that have failed since the last `welcome`, newest first. */
  #tried: readonly string[] = [];
  /** Where this attempt dials. */
  #placement: Placement | undefined;
  #isWaiting = false;
  /** No attempt before this: a server said so. */
  #notBeforeMs = 0;
  #connectedAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lookup: AbortController | undefined;
  readonly #host: AttemptHost;
  readonly #options: DialOptions;
  readonly #random: () => number;

  constructor(host: AttemptHost, options: DialOptions, random: () => number) {
    this.#host = host;
    this.#options = options;
    this.#random = random;
  }

  /** Asks the gateway now. */
  begin(): void {
    this.end();
    const host = this.#host;
    host.statusFeed.emit({ type: 'connecting', attempt: this.#count });
    const controller = new AbortController();
    this.#lookup = controller;
    const tried = this.#tried;
    place(this.#options, this.#random, { session: host.session, from: host.from, tried }, controller).then(
      (placement) => {
        if (this.#lookup !== controller) return;
        this.#lookup = undefined;
        this.#refusals = 0;
        this.#placement = placement;
        host.placed(placement);
      },
      (error: unknown) => {
        if (this.#lookup !== controller) return;
        this.#lookup = undefined;
        this.#lookupFailed(error);
      },
    );
  }

  /** Calls `late` unless something else happens to this attempt within `ms`. */
  watch(ms: number, late: () => void): void {
    clearTimeout(this.#timer);
    const dueAtMs = monotonicNow() + ms;
    this.#timer = setTimeout(() => {
      // Late itself: the page stood still, and what has happened meanwhile is learned first.
      if (monotonicNow() - dueAtMs > limits.lateMs) this.#timer = setTimeout(late, limits.graceMs);
      else late();
    }, ms);
  }

  succeeded(): void {
    this.end();
    this.#tried = [];
    this.#connectedAtMs = monotonicNow();
  }

  /** A socket of an attempt closed before `welcome`. */
  failed(code: number, reason: string): void {
    const placement = this.#placement;
    if (!placement) return; // nothing was dialled
    this.avoid(placement.node);
    const why = whyFailed(placement, code, reason);
    this.#again(why.code, why.reason, this.#delayMs(code), placement.node);
  }

  /** The next look-up names this node as tried. */
  avoid(node: string): void {
    this.#tried = withTried(this.#tried, node);
  }

  /** The connection was lost; returns the wait before the next attempt, ms. */
  lost(code: number, isAtOnce: boolean): number {
    if (monotonicNow() - this.#connectedAtMs > limits.stableMs) this.#count = 0;
    const inMs = isAtOnce && this.#count === 0 ? 0 : this.#delayMs(code);
    this.#after(inMs);
    return inMs;
  }

  /** Does not wait out a backoff (but what a server has asked for): the network is back. False: nothing waits. */
  hurry(): boolean {
    if (!this.#isWaiting) return false;
    if (monotonicNow() >= this.#notBeforeMs) this.begin();
    return true;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#isWaiting = false;
    this.#lookup?.abort();
    this.#lookup = undefined;
  }

  #lookupFailed(error: unknown): void {
    const told = error instanceof LookupError ? error : undefined;
    const isUnauthorized = told?.status === 401;
    if (told && (isUnauthorized ? this.#isRefused() : told.status === 400)) {
      this.#host.refused(new ClientError(isUnauthorized ? 'unauthorized' : 'refused', told.message, told));
      return;
    }
    // 0 is no time to wait, and nobody waits for days.
    const askedMs = Math.min(told?.retryInMs ?? 0, limits.retryAfterMs);
    if (askedMs > 0) this.#notBeforeMs = monotonicNow() + askedMs;
    const code = error instanceof ClientError ? error.code : 'unreachable';
    const reason = error instanceof ClientError ? error.message : reasonOf(error);
    this.#again(code, reason, askedMs || this.#delayMs(1006), undefined, error);
  }

  /** For good: a token that is refused may be good in a moment (clocks differ, keys change), and the next one may be better. */
  #isRefused(): boolean {
    if (!this.#options.getToken) return true;
    if (++this.#refusals === 1) this.#refusedAtMs = monotonicNow();
    const forMs = monotonicNow() - this.#refusedAtMs;
    return this.#refusals >= limits.unauthorizedTries && forMs >= limits.unauthorizedMs;
  }

  #again(code: number | string, reason: string, retryInMs: number, node?: string, cause?: unknown): void {
    this.#after(retryInMs);
    const more = { ...(node && { node }), ...(cause !== undefined && { cause }) };
    this.#host.statusFeed.emit({ type: 'connect-failed', code, reason, retryInMs, ...more });
  }

  #after(inMs: number): void {
    this.end();
    this.#count++;
    this.#isWaiting = true;
    this.#timer = setTimeout(() => this.begin(), timerMs(inMs));
  }

  /** A close that asks to come back is answered within a second, unless that has just been tried. */
  #delayMs(code: number): number {
    const { minMs = 500, maxMs = 20_000 } = this.#options.backoff ?? {};
    const isSoon = afterClose(code) === 'reconnect' && this.#count === 0;
    const most = isSoon ? 1_000 : Math.min(maxMs, limits.retryAfterMs);
    return backoffMs(this.#count, { minMs: isSoon ? most : minMs, maxMs: most }, this.#random);
  }
}
