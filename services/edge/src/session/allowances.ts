import type { UnsubscribedFrame } from '@evenkeel/protocol';
import type { SessionAccess } from './access.js';

/** A topic whose application cannot be asked again is kept so long, ms. */
const busyPatienceMs = 30_000;

interface Allowance {
  /** When the application is asked again. */
  atMs: number;
  /** Since when it cannot be asked again. */
  busyFromMs: number | undefined;
  /** The rules have changed since it was asked. */
  isReviewed: boolean;
}

/** The topics of one connection that its application has allowed: it is asked again, and may have another answer. */
export class Allowances {
  #topics: Map<string, Allowance> | undefined;
  readonly #access: Pick<SessionAccess, 'decide' | 'ask' | 'mayReview'>;
  readonly #takeAway: (topic: string, why: UnsubscribedFrame['reason']) => void;

  constructor(
    access: Pick<SessionAccess, 'decide' | 'ask' | 'mayReview'>,
    takeAway: (topic: string, why: UnsubscribedFrame['reason']) => void,
  ) {
    this.#access = access;
    this.#takeAway = takeAway;
  }

  /** Allowed until then. */
  set(topic: string, untilMs: number): void {
    this.#topics ??= new Map();
    this.#topics.set(topic, { atMs: untilMs, busyFromMs: undefined, isReviewed: false });
  }

  delete(topic: string): void {
    this.#topics?.delete(topic);
  }

  /** The rules have changed: it is asked at one of the next sweeps, or when what it has said is over. */
  review(topic: string): void {
    if (!this.#topics?.has(topic)) this.set(topic, Number.POSITIVE_INFINITY);
    const allowance = this.#topics?.get(topic);
    if (allowance) allowance.isReviewed = true;
  }

  /** Asks again where it is time. */
  sweep(nowMs: number): void {
    if (this.#topics === undefined) return;
    for (const [topic, allowance] of [...this.#topics]) {
      const isOver = allowance.atMs <= nowMs;
      if (isOver || (allowance.isReviewed && this.#access.mayReview())) void this.#askAgain(topic, allowance);
    }
  }

  async #askAgain(topic: string, allowance: Allowance): Promise<void> {
    const decision = this.#access.decide('subscribe', topic);
    if (decision === 'allow' || decision === 'forbid') return this.delete(topic);
    allowance.atMs = Number.POSITIVE_INFINITY;
    allowance.isReviewed = false;
    const { is, untilMs } = await this.#access.ask(decision, 'subscribe', topic);
    // It may have been left meanwhile.
    if (this.#topics?.get(topic) !== allowance) return;
    if (this.#access.decide('subscribe', topic) === 'allow') return this.delete(topic);
    if (is === 'busy') allowance.busyFromMs ??= untilMs;
    else allowance.busyFromMs = undefined;
    if (is === 'allow' || untilMs - (allowance.busyFromMs ?? 0) < busyPatienceMs) {
      allowance.atMs = untilMs;
      return;
    }
    this.delete(topic);
    this.#takeAway(topic, is === 'refuse' ? 'service' : 'expired');
  }
}
