import type { Consumer } from '@evenkeel/broker';

/** One queue, from its declaration to its end. */
export class Incarnation {
  readonly name: string;
  /** Resolves with the reason when it is over. */
  readonly ended: Promise<string>;
  readonly madeAtMs = performance.now();
  consumer: Consumer | undefined;
  isOver = false;
  isChecking = false;
  #end: (why: string) => void = () => {};

  constructor(name: string) {
    this.name = name;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  end(why: string): void {
    this.isOver = true;
    this.#end(why);
  }
}

/** As `promise`, but rejects when `signal` aborts first. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    // Also where it is too late: what it is rejected with then is nobody else's to hear.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
