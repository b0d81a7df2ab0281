import { closeCodes } from '@evenkeel/protocol';
import { Counts } from '@evenkeel/runtime';
import type { Refused } from './gate.js';

/** Counts of a transport since its start; read by statistics. */
export interface ConnectionCounts {
  open: number;
  accepted: number;
  /** Of those accepted, the ones with a ticket for another edge, which agreed. */
  honoured: number;
  /** Closed at once with `wrong-edge`. */
  wrongEdge: number;
  /** Upgrades refused for their ticket, by what is wrong with it. */
  readonly refusedTickets: Counts;
  /** Upgrades refused for want of room: `full`, `draining`, `memory`, or `tickets`: too many are remembered as used. */
  readonly refusedFull: Counts;
  /** Of pages that may not connect. */
  refusedOrigins: number;
  /** Upgrades refused because there were too many of their `address`, or of their `user`. */
  readonly refusedRates: Counts;
  /** Frames over the payload limit. */
  tooLarge: number;
  framesIn: number;
  bytesOut: number;
  /** Of topics, to each subscriber. */
  topicFrames: number;
  /** WebSockets that have closed, by the code as {@link closeLabel} has it. */
  readonly closes: Counts;
}

const known: ReadonlySet<number> = new Set(Object.values(closeCodes).map(({ code }) => code));
const other = 'other';
/** Of clients that go, and of connections that break. */
const usual = [1000, 1001, 1005, 1006] as const;

/** Before anything has happened. */
export const noCounts = (): ConnectionCounts => ({
  open: 0,
  accepted: 0,
  honoured: 0,
  wrongEdge: 0,
  refusedTickets: Counts.of(['expired', 'forged', 'malformed', 'stale', 'used']),
  refusedFull: Counts.of(['full', 'draining', 'memory', 'tickets']),
  refusedOrigins: 0,
  refusedRates: Counts.of(['address', 'user']),
  tooLarge: 0,
  framesIn: 0,
  bytesOut: 0,
  topicFrames: 0,
  closes: Counts.of([...usual, ...known, other].map(String)),
});

/** Someone was refused. */
export function countRefused(counts: ConnectionCounts, { why, code }: Refused): void {
  if (why === 'origin') counts.refusedOrigins += 1;
  else if (why === 'ticket') counts.refusedTickets.add(code.replace(/^ticket-/, ''));
  else if (why === 'address-rate' || why === 'user-rate') counts.refusedRates.add(why.replace(/-rate$/, ''));
  else if (why !== 'user') counts.refusedFull.add(why);
}

/** A close code as a label: those of RFC 6455 and of the protocol as they are; a client may close with any other. */
export const closeLabel = (code: number): string =>
  known.has(code) || (code >= 1000 && code <= 1015) ? String(code) : other;
