/** The last five minutes of what is shown in large numbers, one value a view. */

const maxPoints = 300;
/** Sets of points that have one time axis, as the chart takes them. */
export type Points = readonly [readonly number[], readonly (number | null)[]];

export class Series<K extends string> {
  readonly #at: number[] = [];
  readonly #values = new Map<K, (number | null)[]>();

  /** What is missing is a hole in the line. */
  add(at: number, values: Readonly<Record<K, number | undefined>>): void {
    this.#at.push(at / 1_000);
    for (const key of Object.keys(values) as K[]) {
      const line = this.#values.get(key) ?? [];
      this.#values.set(key, line);
      line.push(values[key] ?? null);
      if (line.length > maxPoints) line.shift();
    }
    if (this.#at.length > maxPoints) this.#at.shift();
  }

  of(key: K): Points {
    return [this.#at, this.#values.get(key) ?? []];
  }
}
