import { Fifo } from '@evenkeel/pace';

/** Questions of one user that are open at a time, … */
const maxOpen = 16;
/** … and that wait for their turn: as many as one connection has topics, for several. */
const maxWaiting = 512;

interface User {
  open: number;
  readonly waiting: Fifo<() => void>;
}

/** A few at a time of each user, so that nobody's questions keep others from asking. */
export class Turns {
  readonly #users = new Map<string, User>();

  /** Does the work when it is this user's turn; undefined: too much waits already. */
  async take<Result>(uid: string, work: () => Promise<Result>): Promise<Result | undefined> {
    const user = this.#users.get(uid) ?? { open: 0, waiting: new Fifo() };
    if (user.waiting.length >= maxWaiting) return undefined;
    this.#users.set(uid, user);
    if (user.open >= maxOpen) await new Promise<void>((resolve) => user.waiting.push(resolve));
    else user.open += 1;
    try {
      return await work();
    } finally {
      // Whoever is next takes this one's place.
      const next = user.waiting.shift();
      if (next) next();
      else user.open -= 1;
      if (user.open === 0) this.#users.delete(uid);
    }
  }
}
