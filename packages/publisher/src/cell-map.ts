import { Cells } from '@evenkeel/pace';

/**
 * Which cells there are and which users are where: the same map that gateways have, with addresses of this application's own user on each
 * RabbitMQ. A publisher that is made with it follows each {@link CellMap.update}.
 * @example
 * const { readFileSync } = await import('node:fs');
 * const cells = new CellMap(readFileSync('cells.json', 'utf8'));
 * const publisher = await createPublisher({ cells, name: 'shop' });
 * console.log(cells.of('alice')); // ['north']
 */
export class CellMap {
  #cells: Cells;
  readonly #followers = new Set<() => void>();

  /** `text`: JSON. @throws CellsError `bad-cells` */
  constructor(text: string) {
    this.#cells = Cells.read(text);
  }

  /**
   * Takes this map in place of the one before. @throws CellsError `bad-cells`, or BrokerError `bad-address` of an address that a publisher's
   * `tls` does not fit; then the one before goes on counting.
   */
  update(text: string): void {
    const before = this.#cells;
    this.#cells = Cells.read(text);
    try {
      for (const follow of this.#followers) follow();
    } catch (error) {
      this.#cells = before;
      for (const follow of this.#followers) follow();
      throw error;
    }
  }

  /** Where events for this user go: the cell that clients are sent to, and then, while the map names it, the one before. */
  of(user: string): readonly string[] {
    return this.#cells.of(user);
  }

  /** Each cell, by its name. */
  get addresses(): ReadonlyMap<string, string> {
    return new Map(this.#cells.all.map(({ name, amqpUrl }) => [name, amqpUrl]));
  }

  /** Calls `fn` after each update; returns how to end that. */
  onUpdate(fn: () => void): () => void {
    this.#followers.add(fn);
    return () => this.#followers.delete(fn);
  }
}
