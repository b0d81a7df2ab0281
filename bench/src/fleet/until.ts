import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again every `everyMs` until the answer is true, at most for `timeoutMs`; returns the last answer. */
export async function until(
  timeoutMs: number,
  everyMs: number,
  isSo: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await isSo()) return true;
    if (Date.now() >= deadline) return false;
    await sleep(everyMs);
  }
}
