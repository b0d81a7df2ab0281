import type { Delivery } from '@evenkeel/broker';

const everyMs = 100;

/**
 * Tells how long what is being read may have lain unread: a process that was stopped, or had no time, finds when it goes on
 * what has come meanwhile, and nothing in it says when.
 */
export class Arrivals {
  #readUntilMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  start(): void {
    this.#readUntilMs = performance.now();
    this.#timer = setInterval(() => {
      const atMs = performance.now();
      // Timers run before the reading of one turn of the event loop, immediates after it.
      setImmediate(() => {
        this.#readUntilMs = atMs;
      });
    }, everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * How long the sender of a message that is being read now still waits for it, at the time of the call, ms: its `expiration`
   * runs from when it has arrived. Without end where it has none.
   */
  countDown({ properties }: Pick<Delivery, 'properties'>): () => number {
    const waitsMs = Number(properties.expiration ?? Number.POSITIVE_INFINITY);
    const endsAtMs = this.#readUntilMs + (Number.isNaN(waitsMs) ? Number.POSITIVE_INFINITY : waitsMs);
    return () => endsAtMs - performance.now();
  }
}
