import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from 'evenkeel';

/** Answers that say: ask again in a moment. */
const forNow: ReadonlySet<string> = new Set(['not-ready', 'busy', 'plan-running']);

/** A balancer that has just started, or that is busy, says to ask again: so it does, for `timeoutMs`. */
export async function whenReady<Answer>(timeoutMs: number, ask: () => Promise<Answer>): Promise<Answer> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isForNow = error instanceof OperatorError && forNow.has(error.code);
      if (!isForNow || Date.now() > deadline) throw error;
      await sleep(500);
    }
  }
}
