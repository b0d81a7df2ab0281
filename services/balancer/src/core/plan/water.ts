/** Water-filling: one level for all, each within its own bounds. Pure; O(n log n). */

/** What holds a part of a whole. */
export interface Vessel {
  /** Part relative to the others; positive. */
  readonly weight: number;
  /** It holds this much in any case. */
  readonly floor: number;
  /** And no more than this; at least `floor`. */
  readonly capacity: number;
}

/** What a vessel holds when the others stand at this level. */
export const heldAt = ({ weight, floor, capacity }: Vessel, level: number): number =>
  Math.max(floor, Math.min(capacity, level * weight));

/**
 * The load per weight at which the vessels hold `total` together; infinity where they are all full by then. A sweep over the
 * levels at which a vessel begins to fill, or is full.
 */
export function waterLevel(vessels: readonly Vessel[], total: number): number {
  let held = 0;
  let most = 0;
  const turns: { at: number; weight: number }[] = [];
  for (const { weight, floor, capacity } of vessels) {
    held += floor;
    most += capacity;
    turns.push({ at: floor / weight, weight });
    if (Number.isFinite(capacity)) turns.push({ at: capacity / weight, weight: -weight });
  }
  if (total >= most) return Number.POSITIVE_INFINITY;
  turns.sort((a, b) => a.at - b.at);
  let level = 0;
  let filling = 0;
  for (const { at, weight } of turns) {
    const more = filling * (at - level);
    if (held + more >= total) break;
    held += more;
    level = at;
    filling += weight;
  }
  return filling > 1e-9 ? level + Math.max(0, total - held) / filling : level;
}
