/** Middle of some numbers; between two the mean of both. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** What one figure did in two trees, run in turn. */
export interface Comparison {
  readonly base: number;
  readonly tree: number;
  /** tree / base, pair by pair: what the machine did meanwhile touches both alike. */
  readonly ratio: { readonly median: number; readonly min: number; readonly max: number };
}

/** @throws RangeError when there are not as many of the one as of the other. */
export function compare(base: readonly number[], tree: readonly number[]): Comparison {
  if (base.length !== tree.length || base.length === 0) throw new RangeError('give pairs of figures');
  const ratios = tree.map((value, index) => value / (base[index] ?? Number.NaN));
  return {
    base: median(base),
    tree: median(tree),
    ratio: { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) },
  };
}
