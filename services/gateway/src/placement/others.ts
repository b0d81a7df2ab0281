/** Clients counted at most: older ones count for less. */
const memory = 2_000;
/** So many are taken to have come by this gateway alone, until more are known. */
const prior = 20;
/** More gateways than this are taken for this many. */
const mostFactor = 16;

/**
 * How many clients come to the edges for each that this gateway sends: the others send theirs by the same statistics, unseen
 * until these show it. A gateway that knows only of its own would fill an emptier edge as often as there are gateways.
 */
export class Others {
  #mine = prior;
  #all = prior;

  /** This gateway has sent one. */
  sent(): void {
    this.#mine += 1;
  }

  /** So many have arrived at an edge, whoever has sent them. */
  arrived(count: number): void {
    this.#all += count;
    if (this.#all <= memory) return;
    this.#all /= 2;
    this.#mine /= 2;
  }

  /** At least 1. */
  get factor(): number {
    return Math.min(mostFactor, Math.max(1, this.#all / this.#mine));
  }
}
