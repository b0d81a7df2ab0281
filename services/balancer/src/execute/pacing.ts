/** Closed-loop pacing: how many moves a second one node takes part in. Pure; time is an argument. */

export interface PaceOptions {
  /** Where a plan starts. */
  startPerSecond: number;
  /** Never slower: a plan must end. */
  minPerSecond: number;
  /** Never faster, however well it goes. */
  maxPerSecond: number;
  /** Above this the node is asked too much. */
  handshakeP99Ms: number;
  loopLagP99Ms: number;
  /** Unacknowledged events per session above which clients do not keep up. */
  unackedPerSession: number;
  /** Share of settled moves that failed, 0 to 1. */
  failedRatio: number;
}

export const paceDefaults: PaceOptions = {
  startPerSecond: 200,
  minPerSecond: 20,
  maxPerSecond: 2000,
  handshakeP99Ms: 400,
  loopLagP99Ms: 80,
  unackedPerSession: 16,
  failedRatio: 0.05,
};

/** What one report tells about how a node bears up. */
export interface PaceSample {
  readonly handshakeP99Ms: number;
  readonly loopLagP99Ms: number;
  readonly unackedPerSession: number;
  readonly failedRatio: number;
}

export interface PaceState {
  readonly perSecond: number;
  /** Still looking for the limit: grows by a factor. Over with the first setback. */
  readonly isSearching: boolean;
}

/** How far the worst signal is towards its limit: 1 is at the limit. */
export function strain(sample: PaceSample, options: PaceOptions): number {
  return Math.max(
    sample.handshakeP99Ms / options.handshakeP99Ms,
    sample.loopLagP99Ms / options.loopLagP99Ms,
    sample.unackedPerSession / options.unackedPerSession,
    sample.failedRatio / options.failedRatio,
  );
}

const GROWTH = 1.6;
const STEP_PER_SECOND = 100;
const EASY = 0.7;

/**
 * The next rate after one report. Over a limit: half; over twice a limit: a quarter. Well below all limits: up,
 * by a factor while searching and by a step after, but only if the rate was used. In between: as it is.
 */
export function adjust(
  state: PaceState,
  sample: PaceSample,
  wasUsed: boolean,
  options: PaceOptions,
): PaceState {
  const worst = strain(sample, options);
  if (worst > 1) {
    const factor = worst > 2 ? 0.25 : 0.5;
    return { perSecond: Math.max(options.minPerSecond, state.perSecond * factor), isSearching: false };
  }
  if (worst > EASY || !wasUsed) return state;
  const grown = state.isSearching ? state.perSecond * GROWTH : state.perSecond + STEP_PER_SECOND;
  return { ...state, perSecond: Math.min(options.maxPerSecond, grown) };
}

const BURST_S = 0.25;

/** The allowance of one node: a token bucket whose rate follows {@link adjust}. */
export class NodePace {
  readonly #options: PaceOptions;
  #state: PaceState;
  #tokens: number;
  #atMs: number;
  #used = 0;
  #adjustedAtMs: number;

  constructor(options: PaceOptions, nowMs: number) {
    this.#options = options;
    this.#state = { perSecond: options.startPerSecond, isSearching: true };
    this.#tokens = options.startPerSecond * BURST_S;
    this.#atMs = nowMs;
    this.#adjustedAtMs = nowMs;
  }

  get perSecond(): number {
    return this.#state.perSecond;
  }

  /** Takes a report; call it once per report of the node. */
  feed(sample: PaceSample, nowMs: number): void {
    const elapsedMs = nowMs - this.#adjustedAtMs;
    if (elapsedMs < 500) return;
    const wasUsed = this.#used >= (this.#state.perSecond * elapsedMs) / 1000 / 2;
    this.#state = adjust(this.#state, sample, wasUsed, this.#options);
    this.#used = 0;
    this.#adjustedAtMs = nowMs;
  }

  /** Whole moves that may be started now. */
  available(nowMs: number): number {
    const perSecond = this.#state.perSecond;
    const grown = this.#tokens + (Math.max(0, nowMs - this.#atMs) / 1000) * perSecond;
    this.#tokens = Math.min(Math.max(1, perSecond * BURST_S), grown);
    this.#atMs = nowMs;
    return Math.floor(this.#tokens);
  }

  take(count: number): void {
    this.#tokens -= count;
    this.#used += count;
  }
}
