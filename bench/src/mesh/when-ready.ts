import { setTimeout as sleep } from 'node:timers/promises';

/** Answers that say: ask again in a moment. */
const forNow: ReadonlySet<string> = new Set(['not-ready', 'busy', 'plan-running']);

/** A balancer that has just started, or that is busy, says to ask again: so it does, for `timeoutMs`. */
export async function whenReady<Answer>(timeoutMs: number, ask: () => Promise<Answer>): Promise<Answer> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      // By its code: it may be an error of another version's operator.
      const isForNow = forNow.has(String((error as { code?: unknown }).code));
      if (!isForNow || Date.now() > deadline) throw error;
      await sleep(500);
    }
  }
}
