/** What sends at the end of a turn what it has gathered. */
interface Gatherer {
  sendGathered(): void;
}

/** Frames that wait at most, of all connections together. */
const mostWaiting = 128;

/**
 * One system call a connection, and not one a frame, for what comes in one turn of the event loop: the call costs more than all else
 * that is done for an event.
 */
export class Gathering {
  #due: Gatherer[] = [];
  #waiting = 0;

  /** `gatherer` has one more frame; `isFirst`: it had none. */
  add(gatherer: Gatherer, isFirst: boolean): void {
    if (isFirst) this.#due.push(gatherer);
    this.#waiting += 1;
    if (this.#waiting === 1) process.nextTick(this.#sendAll);
    else if (this.#waiting >= mostWaiting) this.#sendAll();
  }

  readonly #sendAll = (): void => {
    const due = this.#due;
    this.#due = [];
    this.#waiting = 0;
    for (const each of due) each.sendGathered();
  };
}
