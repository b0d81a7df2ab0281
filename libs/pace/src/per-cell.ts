import { withDeadline } from './sleep.js';

/** So long after the first cell the others are not waited for at the start, ms. */
const othersMs = 2_000;

/** Resolves once one cell is there, and the others are or have had a moment. @throws AggregateError where none comes */
export async function someCells(starts: readonly Promise<unknown>[]): Promise<void> {
  await Promise.any(starts);
  await withDeadline(Promise.allSettled(starts), othersMs, () => undefined);
}

/** What is done with those that are held. */
export interface PerCellOptions<Held> {
  /** Makes what is to be held, without beginning anything: it may not come to that. */
  make(cell: string, amqpUrl: string): Held;
  enter(held: Held): void;
  leave(held: Held, cell: string): void;
}

/** What a gateway or a publisher holds for each cell of a map: one for each address. */
export class PerCell<Held> {
  readonly #options: PerCellOptions<Held>;
  readonly #held = new Map<string, { readonly amqpUrl: string; readonly held: Held }>();

  constructor(options: PerCellOptions<Held>) {
    this.#options = options;
  }

  get(cell: string): Held | undefined {
    return this.#held.get(cell)?.held;
  }

  names(): Iterable<string> {
    return this.#held.keys();
  }

  values(): Held[] {
    return [...this.#held.values()].map(({ held }) => held);
  }

  entries(): [string, Held][] {
    return [...this.#held].map(([cell, { held }]) => [cell, held]);
  }

  /** Holds one for each of these addresses, by cell, and no other. @throws what `make` throws, with nothing changed */
  follow(addresses: ReadonlyMap<string, string>): void {
    const { make, enter, leave } = this.#options;
    // All of them before anything is changed: an address may be one that cannot be used.
    const made = [...addresses].flatMap(([cell, amqpUrl]) =>
      this.#held.get(cell)?.amqpUrl === amqpUrl ? [] : [{ cell, amqpUrl, held: make(cell, amqpUrl) }],
    );
    for (const [cell, { amqpUrl, held }] of this.#held) {
      if (addresses.get(cell) === amqpUrl) continue;
      this.#held.delete(cell);
      leave(held, cell);
    }
    for (const { cell, amqpUrl, held } of made) {
      this.#held.set(cell, { amqpUrl, held });
      enter(held);
    }
  }
}
