import { sleep } from '@evenkeel/pace';
import type { Topics } from './ports.js';

/** How long the attach of a client that comes back waits until nothing older can come; then the topic follows when it can. */
const lateMs = 5_000;
/** Before it is asked for once more, ms. */
const againMs = 250;

/**
 * Resolves when nothing older than the call can come of a topic any more, which whoever else subscribes to it here may have brought and the
 * client may have had, or when it is not wanted any more. `onLate` is called where that takes long.
 */
export async function caughtUp(
  topics: Pick<Topics, 'caughtUp'>,
  isWanted: () => boolean,
  onLate: () => void,
): Promise<void> {
  while (!(await topics.caughtUp(lateMs)) && isWanted()) {
    onLate();
    await sleep(againMs);
  }
}
