/** Exact integer shares: who should hold how many. Pure; O(n log n). */

export interface Holder {
  readonly node: string;
  /** Share relative to the others; positive. */
  readonly weight: number;
  /** Most it may be given. */
  readonly capacity: number;
  /** What it holds now. */
  readonly sessions: number;
}

/** Remainders below this are rounding errors of the division. */
const EPSILON = 1e-9;

/**
 * Splits `total` by weight, nobody over capacity, each share the exact one rounded up or down
 * (the largest-remainder method). Of equal choices the one that leaves most where it is.
 * What exceeds the sum of capacities is given to nobody.
 */
export function shares<H extends Holder>(holders: readonly H[], total: number): Map<H, number> {
  const out = new Map<H, number>(holders.map((holder) => [holder, 0]));
  let left = total;
  let weight = 0;
  for (const holder of holders) weight += holder.weight;
  // Raise one water level: nodes fill up in the order of capacity per weight.
  const order = [...holders].sort((a, b) => a.capacity / a.weight - b.capacity / b.weight);
  let full = 0;
  for (const holder of order) {
    if ((left * holder.weight) / weight < holder.capacity) break;
    const given = Math.min(holder.capacity, left);
    out.set(holder, given);
    left -= given;
    weight -= holder.weight;
    full += 1;
  }
  let rest = left;
  const parts = order.slice(full).map((holder) => {
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
