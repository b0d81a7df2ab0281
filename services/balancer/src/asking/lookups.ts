interface Lookup<T> {
  readonly found: Promise<T>;
  /** For who comes while this one is under way: what has changed meanwhile is in it. */
  next: Promise<T> | undefined;
}

/**
 * Where users are. One look at a time for each, and all that wait for the next share it: however many questions there are to one
 * user, none of them waits for more than two looks.
 */
export class Lookups<T> {
  readonly #look: (uid: string) => Promise<T>;
  readonly #open = new Map<string, Lookup<T>>();

  constructor(look: (uid: string) => Promise<T>) {
    this.#look = look;
  }

  /** What a look that begins from now on finds; who calls first is told first. */
  async find(uid: string): Promise<T> {
    const open = this.#open.get(uid);
    if (open === undefined) return await this.#begin(uid);
    open.next ??= open.found.catch(() => {}).then(() => this.#begin(uid));
    return await open.next;
  }

  #begin(uid: string): Promise<T> {
    const lookup: Lookup<T> = { found: this.#look(uid), next: undefined };
    this.#open.set(uid, lookup);
    const over = () => {
      if (lookup.next === undefined && this.#open.get(uid) === lookup) this.#open.delete(uid);
    };
    lookup.found.then(over, over);
    return lookup.found;
  }
}
