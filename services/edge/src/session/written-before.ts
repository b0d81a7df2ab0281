import type { Delivery } from '@evenkeel/broker';
import { messageIdentity } from '@evenkeel/mesh';

/** Ids kept at most of what was written and given back. */
const maxIds = 256;

/** What is given back of a session, as whoever has it next is told. */
export interface LeftWritten {
  /** So many deliveries at its queue's head were written, to any connection; undefined: go by the broker's flag. */
  readonly suspect: number | undefined;
  /** The ids of those, in order, as far as they are known. */
  readonly ids?: readonly string[] | undefined;
}

/**
 * Which of the next deliveries were written to an earlier connection, or before the broker was lost. The broker flags what it
 * delivers again, mostly: of a queue in which transient messages waited when RabbitMQ was restarted it flags nothing any more
 * (rabbit_variable_queue's `next_deliver_seq_id` waits for one of those). So their ids are remembered as well.
 */
export class WrittenBefore {
  /** So many may have been; undefined: as the broker flags them, or their ids tell. */
  suspect: number | undefined;
  /** As which `seq` the next ones, so many, were written to the connection that the client has named. */
  again: { seq: number; count: number } | undefined;
  /** Of those that may come again, in order. */
  #ids: readonly string[] = [];

  get ids(): readonly string[] {
    return this.#ids;
  }

  /** As who had the session last has said; `again`: where its client names that connection. */
  begin({ suspect, ids = [] }: LeftWritten, again: WrittenBefore['again']): void {
    this.suspect = suspect;
    this.again = again;
    this.#ids = ids;
  }

  /** Those with these ids come again, unless they are dropped; and behind them those that were to come. */
  expect(ids: readonly string[]): void {
    this.#ids = [...ids, ...this.#ids].slice(0, maxIds);
  }

  /** Whether the next delivery may have been written before; those of services have no ids. */
  isRedelivered(delivery: Delivery, isOfService: boolean): boolean {
    const wasWritten = this.#ids.length > 0 && !isOfService && this.#isExpected(delivery);
    return this.#isFlagged(delivery) || wasWritten;
  }

  /** As which `seq` it was written to the connection that the client has named. */
  position(): number | undefined {
    const { again } = this;
    if (!again || again.count === 0) return undefined;
    again.count -= 1;
    again.seq += 1;
    return again.seq - 1;
  }

  /** Some of what follows was dropped: nobody knows which delivery is which. */
  lostPlace(): void {
    this.suspect = undefined;
    this.again = undefined;
  }

  /** Nothing that comes now was written. */
  none(): void {
    this.suspect = 0;
    this.again = undefined;
  }

  #isFlagged({ redelivered }: Delivery): boolean {
    if (this.suspect === undefined) return redelivered;
    if (this.suspect === 0) return false;
    this.suspect -= 1;
    return redelivered;
  }

  /** They come in their order, some of them perhaps not; what is none of them comes behind them all. */
  #isExpected(delivery: Delivery): boolean {
    const at = this.#ids.indexOf(messageIdentity(delivery));
    this.#ids = at < 0 ? [] : this.#ids.slice(at + 1);
    return at >= 0;
  }
}
