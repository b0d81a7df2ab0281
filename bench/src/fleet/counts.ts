/** Counts by name. */
export type Counts = Record<string | number, number>;

export function addOne(counts: Counts, key: string | number): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

/** Adds `more` to `counts`. */
export function addTo(counts: Counts, more: Readonly<Counts>): void {
  for (const [key, n] of Object.entries(more)) counts[key] = (counts[key] ?? 0) + n;
}
