import { Fifo } from '@evenkeel/pace';

export interface RoomRules {
  readonly maxMessages: number;
  /** Of their bodies together; one always has room. */
  readonly maxBytes: number;
}

interface Waiting {
  readonly bytes: number;
  isOver: boolean;
  enter(): void;
}

/** Room for messages that are on their way: so many at once, and the others wait, first come, first served. */
export class Room {
  readonly #rules: RoomRules;
  readonly #waiting = new Fifo<Waiting>();
  #messages = 0;
  #bytes = 0;

  constructor(rules: RoomRules) {
    this.#rules = rules;
  }

  /** Resolves when there is room for a message. Call what it resolves with once the message has arrived. Rejects with what `onLate` makes after `waitMs`. */
  enter(bytes: number, waitMs: number, onLate: () => Error): Promise<() => void> {
    if (this.#waiting.length === 0 && this.#has(bytes)) return Promise.resolve(this.#take(bytes));
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        bytes,
        isOver: false,
        enter: () => {
          clearTimeout(timer);
          resolve(this.#take(bytes));
        },
      };
      const timer = setTimeout(() => {
        waiting.isOver = true;
        reject(onLate());
        // A shorter one may stand behind it.
        this.#admit();
      }, waitMs);
      this.#waiting.push(waiting);
    });
  }

  #has(bytes: number): boolean {
    const { maxMessages, maxBytes } = this.#rules;
    return this.#messages === 0 || (this.#messages < maxMessages && this.#bytes + bytes <= maxBytes);
  }

  #take(bytes: number): () => void {
    this.#messages += 1;
    this.#bytes += bytes;
    return () => {
      this.#messages -= 1;
      this.#bytes -= bytes;
      this.#admit();
    };
  }

  #admit(): void {
    for (let next = this.#waiting.peek(); next !== undefined; next = this.#waiting.peek()) {
      if (!next.isOver && !this.#has(next.bytes)) return;
      this.#waiting.shift();
      if (!next.isOver) next.enter();
    }
  }
}
