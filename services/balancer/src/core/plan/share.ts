/** Exact integer shares: who should hold how many. Pure; O(n log n). */

export interface Holder {
  readonly node: string;
  /** Share relative to the others; positive. */
  readonly weight: number;
  /** Most it may be given. */
  readonly capacity: number;
  /** What it holds now. */
  readonly load: number;
}

/**
 * Splits `total` by weight, nobody over capacity, each share the exact one rounded up or down
 * (the largest-remainder method). Of equal choices the one that leaves most where it is.
 * What exceeds the sum of capacities is given to nobody.
 */
export function shares(holders: readonly Holder[], total: number): number[] {
  const out = new Array<number>(holders.length).fill(0);
  // Raise one water level: nodes fill up in the order of capacity per weight.
  const order = holders.map((_, i) => i).sort((a, b) => fill(holders, a) - fill(holders, b));
  let left = total;
  let weight = 0;
  for (const h of holders) weight += h.weight;
  let first = 0;
  for (; first < order.length; first++) {
    const i = order[first] as number;
    const holder = holders[i] as Holder;
    if ((left * holder.weight) / weight < holder.capacity) break;
    const given = Math.min(holder.capacity, left);
    out[i] = given;
    left -= given;
    weight -= holder.weight;
  }
  const open = order.slice(first);
  if (open.length === 0) return out;
  let given = 0;
  const parts = open.map((i) => {
    const holder = holders[i] as Holder;
    const exact = (left * holder.weight) / weight;
    const floor = Math.floor(exact + 1e-9);
    given += floor;
    out[i] = floor;
    return {
      i,
      node: holder.node,
      remainder: Math.max(0, exact - floor),
      saves: holder.load > floor ? 1 : 0,
    };
  });
  const rest = Math.round(left - given);
  // Only who has a remainder may be rounded up, and of those first who would otherwise have to give one away.
  parts.sort(
    (a, b) =>
      Number(b.remainder > 1e-9) - Number(a.remainder > 1e-9) ||
      b.saves - a.saves ||
      b.remainder - a.remainder ||
      (a.node < b.node ? -1 : 1),
  );
  for (let k = 0; k < rest; k++) {
    const part = parts[k % parts.length] as { i: number };
    out[part.i] = (out[part.i] as number) + 1;
  }
  return out;
}

function fill(holders: readonly Holder[], i: number): number {
  const holder = holders[i] as Holder;
  return holder.capacity / holder.weight;
}
