/** What is to be done with posts that come in this order. */
export type Place = 'next' | 'repeat' | 'early' | 'bad';

/**
 * Posts of one connection, which the client numbers from 1: over several connections of HTTP they may overtake each other, and one
 * whose answer was lost is sent again. One without a number is taken as it comes.
 */
export class PostOrder {
  #last = 0;

  /** `n` as it is in the query. The next one counts as taken from now on. */
  place(n: string | undefined): Place {
    if (n === undefined) return 'next';
    if (!/^[1-9]\d{0,14}$/.test(n)) return 'bad';
    const number = Number(n);
    if (number <= this.#last) return 'repeat';
    if (number > this.#last + 1) return 'early';
    this.#last = number;
    return 'next';
  }
}
