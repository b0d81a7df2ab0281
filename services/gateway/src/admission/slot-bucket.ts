/**
 * A rate that is never exceeded in any second: of `perSecond`, nine tenths flow in evenly and one tenth may
 * come at once. Takes the time as an argument.
 */
export class SlotBucket {
  #perSecond: number;
  #slots: number;
  #atMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#slots = burstOf(perSecond);
    this.#atMs = nowMs;
  }

  setRate(perSecond: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#perSecond = perSecond;
    this.#slots = Math.min(this.#slots, burstOf(perSecond));
  }

  has(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#slots >= 1;
  }

  /** Takes a slot; false, and nothing taken, when there is none. */
  take(nowMs: number): boolean {
    if (!this.has(nowMs)) return false;
    this.#slots -= 1;
    return true;
  }

  #refill(nowMs: number): void {
    // A clock that steps back must not take slots away.
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = nowMs;
    this.#slots = Math.min(
      burstOf(this.#perSecond),
      this.#slots + (elapsedMs * flowOf(this.#perSecond)) / 1_000,
    );
  }
}

const burstOf = (perSecond: number): number => Math.max(1, perSecond / 10);
/** Burst and flow together are the rate; at very low rates the one slot of the burst must not stop the flow. */
const flowOf = (perSecond: number): number => Math.max(perSecond / 2, perSecond - burstOf(perSecond));
