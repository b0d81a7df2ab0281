/** Files that the process needs beside its clients: the broker, the ops server, the agent check, logs and libraries. */
const ownFiles = 128;
/** With less room than this an edge is no use, and a mistake is more likely. */
const leastCapacity = 64;

export interface RoomOptions {
  /** Connections at most. */
  readonly capacity: number;
  /** Connections that have not asked for anything yet, at most. */
  readonly maxPending: number;
}

/**
 * How many connections this edge has room for. Each is an open file, so the limit of the process may leave less room than the
 * settings: at that limit nobody gets in, and nothing can be opened at all.
 */
export class Room implements RoomOptions {
  #capacity: number;
  #maxPending: number;
  /** What an operator has set instead. */
  #live: number | undefined;
  /** What the limit of open files leaves. */
  #most = Number.POSITIVE_INFINITY;

  constructor({ capacity, maxPending }: RoomOptions) {
    this.#capacity = capacity;
    this.#maxPending = maxPending;
  }

  get capacity(): number {
    return Math.min(this.#live ?? this.#capacity, this.#most);
  }

  get maxPending(): number {
    return this.#maxPending;
  }

  /** So many from now on, as far as the limit of open files leaves; undefined: as its environment says. Nobody is closed for it. */
  setCapacity(capacity: number | undefined): void {
    this.#live = capacity;
  }

  /**
   * Makes it fit into `openFiles`; undefined: there is no limit. @returns whether it had to be lowered.
   * @throws Error when too little is left.
   */
  fit(openFiles: number | undefined): boolean {
    const wanted = this.#capacity + this.#maxPending + ownFiles;
    if (openFiles === undefined) return false;
    this.#most = openFiles - ownFiles - this.#maxPending;
    if (wanted <= openFiles) return false;
    const left = Math.max(0, openFiles - ownFiles);
    const maxPending = Math.min(this.#maxPending, Math.floor(left / 4));
    const capacity = Math.min(this.#capacity, left - maxPending);
    if (capacity < Math.min(leastCapacity, this.#capacity)) {
      throw new Error(
        `the process may open ${openFiles} files, which leaves room for ${capacity} connections: raise the limit ` +
          `(ulimit -n, LimitNOFILE=, docker --ulimit nofile=) to ${wanted}`,
      );
    }
    this.#capacity = capacity;
    this.#most = capacity;
    this.#maxPending = maxPending;
    return true;
  }
}
