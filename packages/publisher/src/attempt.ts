/** What came of one run of a handler. */
export type Result<Value> =
  | { readonly is: 'done'; readonly value: Value }
  | { readonly is: 'failed'; readonly error: unknown };

/** The handler has not settled in time; what it does from then on counts no more. */
export class HandlerTimeout extends Error {
  constructor(limitMs: number) {
    super(`the handler has not finished within ${limitMs} ms (handlerTimeoutMs)`);
    this.name = 'HandlerTimeout';
  }
}

/** Runs `handle`, at most for `limitMs`; its signal is aborted then. Never rejects. */
export async function attempt<Value>(
  handle: (signal: AbortSignal) => Promise<Value>,
  limitMs: number,
): Promise<Result<Value>> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    if (limitMs === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(() => {
      const error = new HandlerTimeout(limitMs);
      reject(error);
      controller.abort(error);
    }, limitMs);
    // What is still run after `close()` keeps no process.
    timer.unref();
  });
  try {
    return { is: 'done', value: await Promise.race([handle(controller.signal), late]) };
  } catch (error) {
    return { is: 'failed', error };
  } finally {
    clearTimeout(timer);
  }
}
