/**
 * Closed-loop pacing: how many moves a second one node takes part in, and how many may be under way. Pure; time is
 * an argument.
 */
import { setRate, TokenBucket } from '@evenkeel/pace';

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

/** What one report of a node shows of how it bears up; once a second. */
export interface PaceSample {
  readonly handshakeP99Ms: number;
  readonly loopLagP99Ms: number;
  readonly unackedPerSession: number;
  readonly failedRatio: number;
}

/** What reports on moves show; ten times a second. */
export interface FlowSample {
  /** From the `move` frame to its end. */
  readonly delayMs: number;
  /** Whether moves have ended in this time and others have not; else the delay is only a lower bound. */
  readonly isMeasured: boolean;
  readonly settledPerSecond: number;
}

export interface PaceState {
  readonly perSecond: number;
  /** What was too much, or all that got through, at the last setback; infinite before the first. Well below it the rate grows faster. */
  readonly limitPerSecond: number;
  /** What a move takes when nothing queues; undefined until one has ended. */
  readonly baseMs: number | undefined;
}

/** How far the worst signal is towards its limit: 1 is at the limit. */
function strain(sample: PaceSample, options: PaceOptions): number {
  return Math.max(
    sample.handshakeP99Ms / options.handshakeP99Ms,
    sample.loopLagP99Ms / options.loopLagP99Ms,
    sample.unackedPerSession / options.unackedPerSession,
    sample.failedRatio / options.failedRatio,
  );
}

/** How long moves may wait behind others: part of the limit, as one in a hundred waits several times the mean. */
export const queueLimitMs = (options: PaceOptions): number => options.handshakeP99Ms * 0.2;

const EASY = 0.85;
/** Part of the limit of a queue below which the rate rises. */
const FREE = 0.5;
/** Growth within the time that its effect takes to be seen: below this part of the last limit, and from there on. */
const NEAR = 0.8;
const GROWTH_FAR = 1.4;
const GROWTH = 1.08;
/** Reports show the time of a move no better, ms. */
const MAX_BLUR_MS = 100;
/** A queue this many times the limit needs more than a rate just below what gets through. */
const LONG_QUEUE = 3;
/** What the base may rise, as part of what a sample is above it: a path that has become longer is no queue. */
const BASE_DRIFT = 0.003;

/** The slowest that moves ever are asked for; the greatest rate counts where it is the lesser. */
export const leastPerSecond = ({ minPerSecond, maxPerSecond }: PaceOptions): number =>
  Math.min(minPerSecond, maxPerSecond);
/** Within the least and the greatest rate. */
const within = (perSecond: number, options: PaceOptions): number =>
  Math.min(options.maxPerSecond, Math.max(leastPerSecond(options), perSecond));

/** After a node's report. Over a limit: half; over twice a limit: a quarter. Else as it is. */
export function slow(state: PaceState, sample: PaceSample, options: PaceOptions): PaceState {
  const worst = strain(sample, options);
  if (worst <= 1) return state;
  const perSecond = within(state.perSecond * (worst > 2 ? 0.25 : 0.5), options);
  return { ...state, perSecond, limitPerSecond: state.perSecond };
}

/**
 * After a report on moves. A queue over the limit: below what gets through at present, so that it drains; a long one:
 * half of that. Hardly any, and the rate is used, and `isEasy` (no signal of the node is near its limit): up, and soon
 * to near where it was too much. In between: as it is.
 */
export function steer(
  state: PaceState,
  sample: FlowSample,
  isEasy: boolean,
  options: PaceOptions,
): PaceState {
  const { delayMs, isMeasured, settledPerSecond } = sample;
  let { baseMs } = state;
  if (isMeasured) {
    baseMs = baseMs === undefined ? delayMs : Math.min(delayMs, baseMs + (delayMs - baseMs) * BASE_DRIFT);
  }
  if (baseMs === undefined) return state;
  // The fewer there are, the less exactly is it known when one was sent and when it ended.
  const limitMs = queueLimitMs(options) + Math.min(MAX_BLUR_MS, 2000 / Math.max(1, settledPerSecond));
  const queueMs = delayMs - baseMs;
  if (queueMs > limitMs) {
    const share = queueMs > limitMs * LONG_QUEUE ? 0.5 : 0.85;
    const limitPerSecond = Math.min(state.perSecond, settledPerSecond);
    const perSecond = within(Math.min(state.perSecond, settledPerSecond * share), options);
    return { perSecond, limitPerSecond, baseMs };
  }
  const isUsed = settledPerSecond >= state.perSecond * 0.4;
  if (queueMs > limitMs * FREE || !isUsed || !isEasy) return { ...state, baseMs };
  // What a step up does is seen only after the loop and the moves themselves.
  const step = STEER_EVERY_MS / (STEER_EVERY_MS + Math.max(delayMs, baseMs));
  const growth = state.perSecond < state.limitPerSecond * NEAR ? GROWTH_FAR : GROWTH;
  const perSecond = within(state.perSecond * growth ** step, options);
  return { ...state, perSecond, baseMs };
}

const BURST_S = 0.25;
const burstOf = (perSecond: number): number => Math.max(1, perSecond * BURST_S);
/** Between two looks at the flow: reports come no faster. */
const STEER_EVERY_MS = 100;
const FEED_EVERY_MS = 500;
/** A report of a node tells of the handshakes that ended within this time before it. */
const REPORT_COVERS_MS = 1000;
/** From a command's leaving to the report of its first moves' end, beside what the moves take. */
const LOOP_MS = 250;
const MAX_WINDOW_MS = 2000;
const MIN_WINDOW = 20;

/** What a plan has found out about a node, for the next one. */
export type PaceMemory = Pick<PaceState, 'perSecond' | 'limitPerSecond'>;

/** Moves that one node may take part in: a token bucket and a window, whose rate follows {@link steer} and {@link slow}. */
export class NodeRate {
  readonly #options: PaceOptions;
  #state: PaceState;
  readonly #bucket: TokenBucket;
  #lookedAtMs: number;
  #fedAtMs: number;
  /** Whether the last report of the node was bad and nothing was done. */
  #hasSpared = false;
  #steeredAtMs: number;
  #loweredAtMs = Number.NEGATIVE_INFINITY;
  #isEasy = true;

  constructor(options: PaceOptions, nowMs: number, memory?: PaceMemory) {
    this.#options = options;
    const perSecond = within(memory?.perSecond ?? options.startPerSecond, options);
    const limitPerSecond = memory?.limitPerSecond ?? Number.POSITIVE_INFINITY;
    this.#state = { perSecond, limitPerSecond, baseMs: undefined };
    this.#bucket = new TokenBucket(perSecond, burstOf(perSecond), nowMs);
    this.#lookedAtMs = nowMs;
    this.#fedAtMs = nowMs;
    this.#steeredAtMs = nowMs;
  }

  get perSecond(): number {
    return this.#state.perSecond;
  }

  get memory(): PaceMemory {
    const { perSecond, limitPerSecond } = this.#state;
    return { perSecond, limitPerSecond };
  }

  /** Takes a report of the node; call it once per report. */
  feed(sample: PaceSample, nowMs: number): void {
    if (nowMs - this.#fedAtMs < FEED_EVERY_MS) return;
    this.#fedAtMs = nowMs;
    this.#isEasy = strain(sample, this.#options) <= EASY;
    const next = slow(this.#state, sample, this.#options);
    if (next === this.#state) {
      this.#hasSpared = false;
      return;
    }
    // It tells of handshakes that began before the rate was lowered for them: nothing is said against the rate of now.
    // Once: a node whose handshakes stay slow is slowed down however often the rate has just been lowered.
    const toldOfMs = REPORT_COVERS_MS + sample.handshakeP99Ms;
    this.#hasSpared = !this.#hasSpared && nowMs - this.#loweredAtMs < toldOfMs;
    if (this.#hasSpared) return;
    this.#change(next);
    this.#loweredAtMs = nowMs;
  }

  /** Takes what is known of the moves at this time; more often than ten times a second is ignored. */
  flow(sample: FlowSample, nowMs: number): void {
    if (nowMs - this.#steeredAtMs < STEER_EVERY_MS) return;
    const before = this.#state;
    const next = steer(before, sample, this.#isEasy, this.#options);
    const isSlower = next.perSecond < before.perSecond;
    // What a step down has done must be seen before the next: the queue needs this long to show it.
    if (isSlower && nowMs - this.#loweredAtMs < STEER_EVERY_MS + sample.delayMs) return;
    this.#steeredAtMs = nowMs;
    if (isSlower) this.#loweredAtMs = nowMs;
    this.#change(next);
  }

  /** Moves that may be under way, those counted that the edge has not sent yet: by Little's law this bounds the queue. */
  get window(): number {
    const { perSecond, baseMs = 0 } = this.#state;
    const windowMs = Math.min(MAX_WINDOW_MS, LOOP_MS + baseMs + queueLimitMs(this.#options));
    return Math.max(MIN_WINDOW, Math.floor((perSecond * windowMs) / 1000));
  }

  /** Whole moves that may be started now. */
  available(nowMs: number): number {
    this.#lookedAtMs = nowMs;
    // The greatest rate may have been set lower meanwhile.
    if (this.#state.perSecond > this.#options.maxPerSecond)
      this.#change({ ...this.#state, perSecond: this.#options.maxPerSecond });
    return this.#bucket.available(nowMs);
  }

  /** Takes `count` of what is {@link available}. */
  take(count: number, nowMs: number): void {
    this.#bucket.tryTake(nowMs, count);
  }

  #change(state: PaceState): void {
    this.#state = state;
    // As of the last look: what runs in between two looks is a batch at the present rate, not a little less than one.
    setRate(this.#bucket, state.perSecond, this.#lookedAtMs, burstOf(state.perSecond));
  }
}
