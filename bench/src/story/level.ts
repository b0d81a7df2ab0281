/** No node over this part of the mean, nor as far under it: within 2 %. */
const levelTolerance = 0.02;

export interface Spread {
  readonly total: number;
  readonly maxOverMean: number;
  readonly isLevel: boolean;
}

/** How evenly connections are spread over `nodes`; a node that is not named in `perNode` has none. */
export function spreadOf(perNode: Readonly<Record<string, number>>, nodes: readonly string[]): Spread {
  const counts = nodes.map((node) => perNode[node] ?? 0);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const mean = total / nodes.length;
  if (mean === 0) return { total, maxOverMean: 0, isLevel: false };
  // A whole connection is the least that can be off.
  const slack = Math.max(1, mean * levelTolerance);
  const isLevel = counts.every((count) => Math.abs(count - mean) <= slack);
  return { total, maxOverMean: Math.max(...counts) / mean, isLevel };
}

/** Whether two counts of the same agree, node by node. */
export function areSame(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  return [...Object.keys(a), ...Object.keys(b)].every((node) => (a[node] ?? 0) === (b[node] ?? 0));
}

/** Connections per node at one point of the story. */
export interface Step {
  readonly name: string;
  readonly perNode: Readonly<Record<string, number>>;
  /** Null: it did not become level in time. */
  readonly secondsToLevel: number | null;
  readonly maxOverMean: number;
}
