/** Exact integer shares: who should hold how many. Pure; O(n log n). */
import { heldAt, type Vessel, waterLevel } from './water.js';

export interface Holder {
  readonly node: string;
  /** Share relative to the others; positive. */
  readonly weight: number;
  /** Most it may be given. */
  readonly capacity: number;
  /** What it holds now. */
  readonly sessions: number;
  /** Of these, what it keeps whatever is planned. */
  readonly pinned: number;
}

/** Remainders below this are rounding errors of the division. */
const EPSILON = 1e-9;

const vesselOf = ({ weight, capacity, pinned }: Holder): Vessel => ({
  weight,
  floor: pinned,
  capacity: Math.max(capacity, pinned),
});

/**
 * Splits `total` by weight, nobody over capacity nor below what it keeps, each share of the others the exact one rounded up
 * or down (the largest-remainder method). Of equal choices the one that leaves most where it is.
 * What exceeds the sum of capacities is given to nobody.
 */
export function shares<H extends Holder>(holders: readonly H[], total: number): Map<H, number> {
  const out = new Map<H, number>();
  const vessels = holders.map((holder) => ({ holder, vessel: vesselOf(holder) }));
  const level = waterLevel(
    vessels.map(({ vessel }) => vessel),
    total,
  );
  let left = total;
  let weight = 0;
  const free: H[] = [];
  for (const { holder, vessel } of vessels) {
    const held = heldAt(vessel, level);
    if (held > vessel.floor && held < vessel.capacity) {
      free.push(holder);
      weight += holder.weight;
      continue;
    }
    out.set(holder, held);
    left -= held;
  }
  let rest = left;
  const parts = free.map((holder) => {
    const exact = (left * holder.weight) / weight;
    const floor = Math.floor(exact + EPSILON);
    rest -= floor;
    return { holder, floor, remainder: Math.max(0, exact - floor), saves: holder.sessions > floor ? 1 : 0 };
  });
  // Only who has a remainder may be rounded up, and of those first who would otherwise have to give one away.
  parts.sort(
    (a, b) =>
      Number(b.remainder > EPSILON) - Number(a.remainder > EPSILON) ||
      b.saves - a.saves ||
      b.remainder - a.remainder ||
      (a.holder.node < b.holder.node ? -1 : 1),
  );
  const more = Math.round(rest);
  for (const [k, { holder, floor }] of parts.entries()) {
    // One each for the first `more`; were there more than parts, they would go round again.
    out.set(holder, floor + Math.floor((more - k + parts.length - 1) / parts.length));
  }
  return out;
}
