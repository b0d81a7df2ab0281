import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Resolves with the first value of `probe` that is neither undefined nor false; rejects after `ms`, with the last error of a probe that
 * rejects as its cause. The default leaves a busy machine time to start processes; whoever waits in vain on purpose names a shorter one.
 */
export async function eventually<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  ms = 20_000,
): Promise<T> {
  const until = performance.now() + ms;
  for (;;) {
    const answer = probe();
    let cause: unknown;
    // Of another process: what is not there yet may refuse.
    const failed = (error: unknown) => {
      cause = error;
      return undefined;
    };
    const value = answer instanceof Promise ? await answer.catch(failed) : answer;
    if (value !== undefined && value !== false) return value;
    if (performance.now() > until) throw new Error(`not within ${ms} ms: ${what}`, { cause });
    // What is asked elsewhere is asked less often.
    await sleep(answer instanceof Promise ? 20 : 2);
  }
}
