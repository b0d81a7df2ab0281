/** One registration: without a handler once it has ended. */
export interface Handling<Value> {
  handler: ((value: Value) => unknown) | undefined;
}

/** Registrations, each its own: none ends another's, also with the same handler. The list may be gone through while it changes. */
export class Handlers<Value, Each extends Handling<Value> = Handling<Value>> {
  all: readonly Each[] = [];

  /** Ends all. */
  end(): void {
    for (const each of this.all) each.handler = undefined;
    this.all = [];
  }

  /** Returns the way to end it. */
  enter(added: Each): () => void {
    this.all = [...this.all, added];
    return () => {
      added.handler = undefined;
      this.all = this.all.filter((each) => each !== added);
    };
  }
}

/** Calls each. What one throws or rejects with goes to `failed`; returns what has not settled yet, if anything. */
export function callEach<Value>(
  all: readonly Handling<Value>[],
  value: Value,
  failed: (error: unknown) => void,
): PromiseLike<unknown>[] | undefined {
  let pending: PromiseLike<unknown>[] | undefined;
  for (const { handler } of all) {
    try {
      const result = handler?.(value);
      if (isThenable(result)) {
        pending ??= [];
        pending.push(result.then(undefined, failed));
      }
    } catch (error) {
      failed(error);
    }
  }
  return pending;
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
