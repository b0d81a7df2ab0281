/**
 * Tells a reader of a stream that stands still from one that has nothing to read. When a stream gets another leader, as after a moment
 * in which nodes of a cluster did not reach each other, RabbitMQ may leave a reader where it is: its channel and its consumer stay, and
 * nothing comes any more (seen with 3.10.8; a new reader on the same node gets everything).
 *
 * RabbitMQ says how many records a stream has. Its oldest ones go, so that is no offset; but that of the newest is never further behind it
 * than it was once.
 */
export class Standstill {
  /** The newest record's offset is the number of records and this, or more. */
  #offsetBeside = Number.NEGATIVE_INFINITY;
  #suspectedAt: number | undefined;

  /**
   * `last`: offset of the newest record that has come; -1: none. `records`: in the stream, asked for after that. True: there were more the
   * last time as well, and none of them has come since.
   */
  isSeen(last: number, records: number): boolean {
    // No stream is emptied: for the moment nobody knows.
    if (records === 0) return false;
    if (records + this.#offsetBeside > last) {
      const isSecond = this.#suspectedAt === last;
      this.#suspectedAt = last;
      return isSecond;
    }
    this.#offsetBeside = Math.max(this.#offsetBeside, last - records);
    this.#suspectedAt = undefined;
    return false;
  }
}
