import { Fifo } from '@evenkeel/pace';

/** Questions of one user that are open at a time, … */
const maxOpenOfUser = 16;
/** … and that wait for their turn: as many as one connection has topics, for several. */
const maxWaiting = 512;

interface User {
  open: number;
  readonly waiting: Fifo<() => void>;
  isInLine: boolean;
}

/** So many at a time, and a few of each user, who take turns: nobody's questions keep others from asking. */
export class Turns {
  readonly #maxOpen: number;
  readonly #users = new Map<string, User>();
  /** Users who have something waiting and may have one more open, in the order of their turns. */
  readonly #line = new Fifo<User>();
  #open = 0;

  /** `maxOpen`: of all users. */
  constructor(maxOpen: number) {
    this.#maxOpen = maxOpen;
  }

  /** Does the work when it is this user's turn; undefined: too much waits already. */
  async take<Result>(uid: string, work: () => Promise<Result>): Promise<Result | undefined> {
    const user = this.#users.get(uid) ?? { open: 0, waiting: new Fifo(), isInLine: false };
    if (user.waiting.length >= maxWaiting) return undefined;
    this.#users.set(uid, user);
    // Where there is room, nobody waits who may use it.
    if (user.open < maxOpenOfUser && this.#open < this.#maxOpen) this.#enter(user);
    else {
      await new Promise<void>((resolve) => {
        user.waiting.push(resolve);
        this.#lineUp(user);
      });
    }
    try {
      return await work();
    } finally {
      user.open -= 1;
      this.#open -= 1;
      this.#lineUp(user);
      this.#admit();
      if (user.open === 0 && user.waiting.length === 0) this.#users.delete(uid);
    }
  }

  #enter(user: User): void {
    user.open += 1;
    this.#open += 1;
  }

  #lineUp(user: User): void {
    if (user.isInLine || user.waiting.length === 0 || user.open >= maxOpenOfUser) return;
    user.isInLine = true;
    this.#line.push(user);
  }

  #admit(): void {
    while (this.#open < this.#maxOpen) {
      const user = this.#line.shift();
      if (user === undefined) return;
      user.isInLine = false;
      const begin = user.waiting.shift();
      if (begin === undefined) continue;
      this.#enter(user);
      begin();
      this.#lineUp(user);
    }
  }
}
