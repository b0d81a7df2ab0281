import type { Worker } from 'node:worker_threads';

/** Looks at one input that find it still running before it counts as hanging, and how often is looked. */
const patience = { looks: 20, lookMs: 500 };

/** In memory that two threads share: how many inputs have begun, and the length of the one that is running; below zero: none is. */
const at = { begun: 0, length: 1 } as const;
const headBytes = 8;

/** Memory for inputs of so many bytes. */
export function sharedFor(maxBytes: number): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(headBytes + maxBytes);
  Atomics.store(new Int32Array(shared, 0, 2), at.length, -1);
  return shared;
}

/** The input that is running, or was last. */
function running(shared: SharedArrayBuffer): Buffer {
  const length = Atomics.load(new Int32Array(shared, 0, 2), at.length);
  return Buffer.from(new Uint8Array(shared, headBytes, Math.max(0, length)));
}

/** For the thread that runs the inputs: says which one is next. */
export function teller(shared: SharedArrayBuffer): (input: Buffer | undefined) => void {
  const head = new Int32Array(shared, 0, 2);
  const bytes = new Uint8Array(shared, headBytes);
  return (input) => {
    if (input !== undefined) bytes.set(input.subarray(0, bytes.length));
    Atomics.store(head, at.length, input === undefined ? -1 : Math.min(input.length, bytes.length));
    Atomics.add(head, at.begun, 1);
  };
}

/** How a thread ends that runs inputs. */
export type Ended<T> =
  | { readonly is: 'done'; readonly answer: T }
  /** It did not get done with this input, or died of it. */
  | { readonly is: 'hung' | 'died'; readonly input: Buffer; readonly why: string };

/**
 * Waits for what a thread has to say, and ends it where it does not get done with an input, which no timer of its own could. What counts
 * is how often it is found with the same one: a machine that stands still is no fault of the input.
 */
export function watched<T>(
  worker: Worker,
  shared: SharedArrayBuffer,
  { looks, lookMs } = patience,
): Promise<Ended<T>> {
  const head = new Int32Array(shared, 0, 2);
  return new Promise((resolve) => {
    let [begun, seen] = [-1, 0];
    const end = (ended: Ended<T>): void => {
      clearInterval(timer);
      void worker.terminate().then(() => resolve(ended));
    };
    const timer = setInterval(() => {
      const [now, length] = [Atomics.load(head, at.begun), Atomics.load(head, at.length)];
      seen = now === begun && length >= 0 ? seen + 1 : 0;
      begun = now;
      const why = `it was still running after ${(looks * lookMs) / 1_000} s`;
      if (seen >= looks) end({ is: 'hung', input: running(shared), why });
    }, lookMs);
    worker.once('message', (answer: T) => end({ is: 'done', answer }));
    worker.once('error', (error) => end({ is: 'died', input: running(shared), why: String(error) }));
  });
}
