import { setRate, TokenBucket } from '@evenkeel/pace';

/**
 * Slots of a rate that is not exceeded in any second: of `perSecond`, nine tenths flow in evenly and one tenth may
 * come at once.
 */
export const slotsOf = (perSecond: number, nowMs: number): TokenBucket =>
  new TokenBucket(flowOf(perSecond), burstOf(perSecond), nowMs);

/**
 * Whether one is free of slots of `perSecond`. For an `isExtra` one, of a user that has had one within this second, only while
 * half of the burst is left for the others besides.
 */
export function isFree(slots: TokenBucket, perSecond: number, isExtra: boolean, nowMs: number): boolean {
  return slots.available(nowMs) >= 1 + (isExtra ? Math.ceil(burstOf(perSecond) / 2) : 0);
}

/** Changes the rate of {@link slotsOf}. */
export function setSlots(slots: TokenBucket, perSecond: number, nowMs: number): void {
  setRate(slots, flowOf(perSecond), nowMs, burstOf(perSecond));
}

const burstOf = (perSecond: number): number => Math.max(1, perSecond / 10);
/** Burst and flow together are the rate; at very low rates the one slot of the burst must not stop the flow. */
const flowOf = (perSecond: number): number => Math.max(perSecond / 2, perSecond - burstOf(perSecond));
