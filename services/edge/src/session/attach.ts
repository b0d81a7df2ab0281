import { sleep } from '@evenkeel/pace';
import { sessionQueue } from '@evenkeel/protocol';
import { makeQueue } from '../queue/spec.js';
import type { SessionContext } from './context.js';
import type { Session } from './session.js';

/** How a session's queue was found when it was attached. */
export interface Found {
  /** The queue was there already. */
  isResumed: boolean;
  /** It was at its length limit, so the oldest events may have been dropped. */
  isOverflowed: boolean;
  /** Deliveries at its head that an earlier socket may have seen; undefined: go by the broker's flag. */
  suspect: number | undefined;
}

/** Thrown when the session cannot be had; `code` says which close code the socket gets. */
export class OwnershipError extends Error {
  readonly code: 'stale-ticket' | 'takeover-failed';
  constructor(code: OwnershipError['code']) {
    super(code);
    this.name = 'OwnershipError';
    this.code = code;
  }
}

/** An exclusive queue of a dead edge goes at the same time as its unacknowledged messages come back; leave it this margin. */
const deadEdgeGraceMs = 100;
/** How long edges have to answer when nobody knows which of them holds the session. */
export const searchMs = 1_500;

/**
 * Makes sure that nobody else consumes the session's queue, and that it exists. After it, this edge may consume.
 *
 * `basic.cancel` alone is no ordered hand-off: the broker serves the next consumer while the last one still
 * holds unacknowledged messages. So this edge consumes only after the holder has said `released`, or has lost
 * its connection (then the broker has put everything back in its place in one step).
 */
export async function takeOwnership(
  context: SessionContext,
  session: Session,
  predecessor: { suspect: number | undefined } | undefined,
  isLive: () => boolean,
): Promise<Found> {
  const { claims } = session;
  if (claims.isNew) {
    await makeQueue(context, claims.uid, claims.sid);
    return { isResumed: false, isOverflowed: false, suspect: 0 };
  }
  let suspect = predecessor?.suspect;
  if (!predecessor && claims.from) {
    const answers = await Promise.all(
      holders(claims.from, context.config.node).map((node) => context.takeovers.ask(session, node, isLive)),
    );
    if (answers.some((answer) => answer.outcome === 'refused')) throw new OwnershipError('stale-ticket');
    if (answers.some((answer) => answer.outcome === 'silent')) throw new OwnershipError('takeover-failed');
    const released = answers.find((answer) => answer.outcome === 'released');
    if (released && claims.move && !released.isFull) {
      // The holder has just consumed this queue, so it exists and is bound: a move costs no metadata.
      return { isResumed: true, isOverflowed: false, suspect: released.suspect };
    }
    suspect = released?.suspect;
    if (answers.some((answer) => answer.outcome === 'unreachable')) await sleep(deadEdgeGraceMs);
  }
  if (!isLive()) return { isResumed: true, isOverflowed: false, suspect };
  return await findQueue(context, session, suspect);
}

async function findQueue(
  context: SessionContext,
  session: Session,
  known: number | undefined,
): Promise<Found> {
  const { claims } = session;
  const queue = sessionQueue(claims.uid, claims.sid);
  const found = await context.topology.checkQueue(queue);
  // Bound again even when found: its first edge may have died between declaring and binding.
  await makeQueue(context, claims.uid, claims.sid);
  if (!found) return { isResumed: false, isOverflowed: false, suspect: 0 };
  let suspect = known;
  if (found.consumers > 0) {
    // Somebody holds it whom the ticket does not name. If nobody answers, single-active-consumer makes us wait our turn.
    const answer = await context.takeovers.search(session, searchMs);
    if (answer.outcome === 'refused') throw new OwnershipError('stale-ticket');
    suspect = answer.outcome === 'released' ? answer.suspect : undefined;
  }
  return { isResumed: true, isOverflowed: found.messages >= context.config.sessionMaxLength, suspect };
}

/** The nodes a ticket names, without this one (a session held here has been released before). */
const holders = (from: string, self: string): string[] =>
  [...new Set(from.split(','))].filter((node) => node !== '' && node !== self).slice(0, 4);
