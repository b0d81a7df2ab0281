import { sleep } from '@evenkeel/pace';
import { type GapReason, gapReasons } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import type { HelloFrame } from './inbox.js';
import type { Handover, SessionQueue } from './ports.js';

/** How a session's queue was found when it was attached. */
export interface Found {
  /** The queue was there already. */
  isResumed: boolean;
  /** It was at its length limit, so the oldest events may have been dropped. */
  isOverflowed: boolean;
  /** Deliveries at its head that an earlier connection may have seen; undefined: go by the broker's flag. */
  suspect: number | undefined;
}

/** Thrown when the session cannot be had; `code` says which close code the connection gets. */
export class AttachError extends Error {
  readonly code: 'stale-ticket' | 'takeover-failed';
  constructor(code: AttachError['code']) {
    super(code);
    this.name = 'AttachError';
    this.code = code;
  }
}

export interface AcquireOptions {
  readonly claims: TicketClaims;
  readonly queue: SessionQueue;
  readonly handover: Handover;
  /** This edge. */
  readonly node: string;
  /** Events in the queue at which it drops the oldest. */
  readonly maxLength: number;
  /** An earlier connection here, which has let the session go. */
  readonly predecessor: { suspect: number | undefined } | undefined;
  /** Topics whose gap the edge that had the session could not tell. */
  onDoubt(topics: readonly string[]): void;
  /** False once nobody wants the session any more. */
  isLive(): boolean;
}

/** An exclusive queue of a dead edge goes at the same time as its unacknowledged messages come back; leave it this margin. */
const deadEdgeGraceMs = 100;
/** How long edges have to answer when nobody knows which of them holds the session. */
export const searchMs = 1_500;
/** Nodes of a ticket that are asked; a gateway names fewer. */
const maxHolders = 4;

/**
 * Makes sure that nobody else consumes the session's queue, and that it exists. After it, this edge may consume.
 *
 * `basic.cancel` alone is no ordered hand-off: the broker serves the next consumer while the last one still
 * holds unacknowledged messages. So this edge consumes only after the holder has said `released`, or has lost
 * its connection (then the broker has put everything back in its place in one step).
 * @throws AttachError; BrokerError without the broker.
 */
export async function acquire(options: AcquireOptions): Promise<Found> {
  const { claims, queue, handover, node, predecessor, isLive } = options;
  if (claims.isNew) {
    await queue.make();
    return { isResumed: false, isOverflowed: false, suspect: 0 };
  }
  let suspect = predecessor?.suspect;
  if (!predecessor && claims.from) {
    const answers = await Promise.all(
      holders(claims.from, node).map((holder) => handover.ask(claims, holder, isLive)),
    );
    if (answers.some(({ outcome }) => outcome === 'refused')) throw new AttachError('stale-ticket');
    if (answers.some(({ outcome }) => outcome === 'silent')) throw new AttachError('takeover-failed');
    const released = answers.find(({ outcome }) => outcome === 'released');
    if (released?.doubt) options.onDoubt(released.doubt);
    if (released && claims.move && !released.isFull) {
      // The holder has just consumed this queue, so it exists and is bound: a move costs no metadata.
      return { isResumed: true, isOverflowed: false, suspect: released.suspect };
    }
    suspect = released?.suspect;
    if (answers.some(({ outcome }) => outcome === 'unreachable')) await sleep(deadEdgeGraceMs);
  }
  if (!isLive()) return { isResumed: true, isOverflowed: false, suspect };
  return await find(options, suspect);
}

async function find(
  { claims, queue, handover, maxLength }: AcquireOptions,
  known: number | undefined,
): Promise<Found> {
  const found = await queue.check();
  // Bound again even when found: its first edge may have died between declaring and binding.
  await queue.make();
  if (!found) return { isResumed: false, isOverflowed: false, suspect: 0 };
  let suspect = known;
  if (found.consumers > 0) {
    // Somebody holds it whom the ticket does not name. If nobody answers, single-active-consumer makes us wait our turn.
    const answer = await handover.search(claims, searchMs);
    if (answer.outcome === 'refused') throw new AttachError('stale-ticket');
    suspect = answer.outcome === 'released' ? answer.suspect : undefined;
  }
  return { isResumed: true, isOverflowed: found.messages >= maxLength, suspect };
}

/** The nodes a ticket names, without this one (a session held here has been released before). */
const holders = (from: string, self: string): string[] =>
  [...new Set(from.split(','))].filter((node) => node !== '' && node !== self).slice(0, maxHolders);

/** What a client that says hello may have missed of each of its topics. */
export function missedOfTopics(hello: HelloFrame, isMove: boolean): GapReason | undefined {
  return hello.resume && !isMove ? gapReasons.connectionLost : undefined;
}

/** What a client that has just been welcomed may have missed of its session's own events. */
export function missedBy(
  hello: HelloFrame,
  { isResumed, isOverflowed }: Found,
  limits: { ackTimeoutMs: number; sessionLifetimeMs: number },
): GapReason[] {
  // Only who had the session can miss something: a first attempt that failed halfway leaves a session id and no more.
  if (!isResumed) return hello.resume ? [gapReasons.sessionExpired] : [];
  const events: GapReason[] = [];
  if (isOverflowed) events.push(gapReasons.overflow);
  // An event may have been unacknowledged that long before the connection was lost.
  const isOutlived = (hello.awayMs ?? 0) + limits.ackTimeoutMs >= limits.sessionLifetimeMs;
  if (isOutlived) events.push(gapReasons.expired);
  return events;
}
