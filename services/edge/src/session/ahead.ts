import type { Delivery } from '@evenkeel/broker';

/** What stands before a seal in its queue: deliveries that are in hand, and such as are still to come, first of all. */
export class Ahead {
  #inHand: Delivery[];
  #toCome: number;

  constructor(inHand: readonly Delivery[], toCome = 0) {
    this.#inHand = [...inHand];
    this.#toCome = toCome;
  }

  /** What is settled is gone, in whatever order. */
  get size(): number {
    this.#inHand = this.#inHand.filter(({ isSettled }) => !isSettled);
    return this.#inHand.length + this.#toCome;
  }

  /** The next has come. */
  take(delivery: Delivery): void {
    if (this.#toCome === 0) return;
    this.#toCome -= 1;
    this.#inHand.push(delivery);
  }

  /** These are about to be put back, and come once more. */
  comeAgain(deliveries: readonly Delivery[]): void {
    const left = this.#inHand.filter((each) => !deliveries.includes(each));
    this.#toCome += this.#inHand.length - left.length;
    this.#inHand = left;
  }
}
