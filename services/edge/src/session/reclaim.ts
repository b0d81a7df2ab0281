import { sleep } from '@evenkeel/pace';
import type { TicketClaims } from '@evenkeel/ticket';
import { searchMs } from './attach.js';
import type { Handover, SessionQueue } from './ports.js';

export interface ReclaimOptions {
  readonly claims: TicketClaims;
  readonly queue: Pick<SessionQueue, 'check'>;
  readonly handover: Pick<Handover, 'search'>;
  /** Consumers of the queue that are this session's own: 1, or 0 while its recovery is under way. */
  ownConsumers(): number;
  /** False once the session is on its way out. */
  isLive(): boolean;
}

/** Waits between one search and the next: many sessions ask at once, and every edge hears each of them. */
const pausesMs = { first: 500, longest: 5_000 };

/**
 * While this edge had no broker another may have taken the session over. Asks until it is known.
 * @returns whether another has it: then this is the older connection.
 */
export async function isTaken({
  claims,
  queue,
  handover,
  ownConsumers,
  isLive,
}: ReclaimOptions): Promise<boolean> {
  for (let pauseMs = pausesMs.first; isLive(); pauseMs = Math.min(pausesMs.longest, pauseMs * 2)) {
    const { outcome } = await handover.search(claims, searchMs);
    if (outcome === 'refused') return true;
    if (outcome !== 'unknown') return false;
    // Nobody: the other consumer was perhaps this edge's own, of the lost connection. When in doubt it was not.
    const found = await queue.check().catch(() => undefined);
    if (found !== undefined && found.consumers <= ownConsumers()) return false;
    await sleep(pauseMs);
  }
  return false;
}
