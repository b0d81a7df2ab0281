/**
 * Tells a reader of a stream that stands still from one that has nothing to read. When a stream gets another leader, as after a moment
 * in which nodes of a cluster did not reach each other, RabbitMQ may leave a reader where it is: its channel and its consumer stay, and
 * nothing comes any more (seen with 3.10.8; a new reader on the same node gets everything).
 *
 * RabbitMQ says how many records a stream has, a moment late. Its oldest ones go, so that is no offset; but that of the newest is never
 * further behind it than it was once.
 */
export class Standstill {
  /** The newest record's offset is the number of records and this, or more. */
  #offsetBeside = Number.NEGATIVE_INFINITY;
  #last: number | undefined;
  #isSuspected = false;

  /**
   * `last`: offset of the newest record that has come; -1: none. `records`: in the stream, asked for after that. True: nothing has come
   * since the last two looks, and at the last one as well there was more. Then it takes two looks again.
   */
  isSeen(last: number, records: number): boolean {
    // No stream is emptied: for the moment nobody knows.
    if (records === 0) return false;
    const isMoving = last !== this.#last;
    const wasSuspected = this.#isSuspected;
    this.#last = last;
    const lacksSome = !isMoving && records + this.#offsetBeside > last;
    if (!isMoving && !lacksSome) this.#offsetBeside = Math.max(this.#offsetBeside, last - records);
    this.#isSuspected = lacksSome && !wasSuspected;
    return lacksSome && wasSuspected;
  }
}
