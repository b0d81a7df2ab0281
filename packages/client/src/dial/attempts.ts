import { monotonicNow } from '@evenkeel/pace';
import { afterClose, type closeCodes, type Placement } from '@evenkeel/protocol/wire';
import { ClientError, type ClientErrorCode } from '../errors.js';
import * as limits from '../limits.js';
import type { ConnectFailed } from '../status.js';
import { timerMs } from '../time.js';
import { LookupError } from './gateway.js';
import type { AttemptHost } from './host.js';
import { place, tokenOf } from './place.js';
import { withTried } from './tried.js';
import { waitMs, why } from './wait.js';
import { whyFailed } from './why.js';

const denied: (typeof closeCodes)['denied']['reason'] = 'denied';

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
  /** Of the look-up, or the refresh, that is under way. */
  #asking: AbortController | undefined;
  readonly #host: AttemptHost;

  constructor(host: AttemptHost) {
    this.#host = host;
  }

  /** Asks the gateway now. */
  begin(): void {
    this.end();
    const host = this.#host;
    host.statusFeed.emit({ type: 'connecting', attempt: this.#count });
    const controller = this.#begun();
    place(host, this.#tried, controller).then(
      (placement) => {
        if (this.#asking !== controller) return;
        this.#asking = undefined;
        this.#refusals = 0;
        this.#placement = placement;
        host.placed(placement);
      },
      (error: unknown) => {
        if (this.#asking !== controller) return;
        this.#asking = undefined;
        this.#lookupFailed(error);
      },
    );
  }

  /**
   * A new token before the old one expires: asked of `getToken`, and again with back-off until the edge has taken one, or the
   * connection is lost. Then the next look-up brings one.
   */
  async refresh(): Promise<void> {
    const host = this.#host;
    const { getToken } = host.options;
    if (!getToken || this.#asking) return;
    const { signal } = this.#begun();
    for (let tries = 0; !signal.aborted; tries++) {
      try {
        const answer = await host.exchange(await tokenOf(getToken), signal);
        if (signal.aborted) return;
        host.pass = (answer as { pass?: string } | null)?.pass;
        this.end();
      } catch (error) {
        if (signal.aborted) return;
        const retryInMs = waitMs(host, tries);
        host.statusFeed.emit({ type: 'refresh-failed', retryInMs, ...why(error) });
        await new Promise((resolve) => {
          this.#timer = setTimeout(resolve, retryInMs);
        });
      }
    }
  }

  #begun(): AbortController {
    this.#asking = new AbortController();
    return this.#asking;
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
    const { node } = placement;
    this.#again(this.#delayMs(code), { ...whyFailed(placement, code, reason), node });
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
    this.#asking?.abort();
    this.#asking = undefined;
  }

  #lookupFailed(error: unknown): void {
    const told = error instanceof LookupError ? error : undefined;
    const final = told && this.#finalCode(told);
    if (final) return this.#host.refused(new ClientError(final, told.message, told));
    // 0 is no time to wait, and nobody waits for days.
    const askedMs = Math.min(told?.retryInMs ?? 0, limits.retryAfterMs);
    if (askedMs > 0) this.#notBeforeMs = monotonicNow() + askedMs;
    this.#again(askedMs || this.#delayMs(1006), why(error));
  }

  /**
   * Why it is no use to ask again; undefined: it may be. A token that is refused may be good in a moment (clocks differ, keys change),
   * and the next one may be better.
   */
  #finalCode({ status, code }: LookupError): ClientErrorCode | undefined {
    if (status === 400) return 'refused';
    if (code === denied) return code;
    if (status !== 401) return undefined;
    if (this.#host.options.getToken) {
      if (++this.#refusals === 1) this.#refusedAtMs = monotonicNow();
      const forMs = monotonicNow() - this.#refusedAtMs;
      if (this.#refusals < limits.unauthorizedTries || forMs < limits.unauthorizedMs) return undefined;
    }
    return 'unauthorized';
  }

  #again(retryInMs: number, failure: Pick<ConnectFailed, 'code' | 'reason' | 'node' | 'cause'>): void {
    this.#after(retryInMs);
    this.#host.statusFeed.emit({ type: 'connect-failed', retryInMs, ...failure });
  }

  #after(inMs: number): void {
    this.end();
    this.#count++;
    this.#isWaiting = true;
    this.#timer = setTimeout(() => this.begin(), timerMs(inMs));
  }

  /** A close that asks to come back is answered within a second, unless that has just been tried. */
  #delayMs(code: number): number {
    const isSoon = afterClose(code) === 'reconnect' && this.#count === 0;
    return waitMs(this.#host, this.#count, isSoon ? 1_000 : undefined);
  }
}
