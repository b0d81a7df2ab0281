import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves with the first value of `probe` that is neither undefined nor false; rejects after `ms`. */
export async function eventually<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  ms = 5_000,
): Promise<T> {
  const until = performance.now() + ms;
  for (;;) {
    const answer = probe();
    const value = answer instanceof Promise ? await answer : answer;
    if (value !== undefined && value !== false) return value;
    if (performance.now() > until) throw new Error(`not within ${ms} ms: ${what}`);
    // What is asked elsewhere is asked less often.
    await sleep(answer instanceof Promise ? 20 : 2);
  }
}
