/** Which of the messages with the numbers from 0 have come, and whether one came twice: a number costs one place of an array. */
export class Arrivals {
  readonly #times: number[] = [];
  /** Different ones that have come. */
  count = 0;
  /** Times that one came again. */
  repeated = 0;

  came(n: number): void {
    const times = this.#times[n] ?? 0;
    this.#times[n] = times + 1;
    if (times === 0) this.count += 1;
    else this.repeated += 1;
  }

  /** The first of so many that have not come. */
  firstMissing(total: number): number | undefined {
    for (let n = 0; n < total; n += 1) if (this.#times[n] === undefined) return n;
    return undefined;
  }
}

/** How these stand, and the first that are missing. */
export function described(all: readonly Arrivals[], each: number): string {
  const count = all.reduce((sum, { count }) => sum + count, 0);
  const missing = all.flatMap((arrivals) => arrivals.firstMissing(each) ?? []).slice(0, 5);
  return `${count} of ${all.length * each} have come${missing.length > 0 ? `, not ${missing.join(', ')}` : ''}`;
}

/** @throws Error when one came twice, though nothing was moved or lost. */
export function onceEach(all: readonly Arrivals[]): void {
  const repeated = all.reduce((sum, arrivals) => sum + arrivals.repeated, 0);
  if (repeated > 0) throw new Error(`${repeated} messages came twice`);
}
