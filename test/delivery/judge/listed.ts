import type { Condition, Line } from '../log.js';
import type { Gap } from './items.js';
import type { Connection, Life } from './lives.js';

/** How long after its end a condition may still be noticed. */
const echoMs = 30_000;

/** In these a broker, or an edge's way to it, was away or lost what it held: the edge cannot know what it missed. */
export const brokerConditions: readonly string[] = [
  'edge-without-broker',
  'edge-without-broker-for-long',
  'edge-cut',
  'edge-way-frozen',
  'edge-hears-nothing',
  'edge-stalled',
  'broker-emptied',
  'broker-restarted',
  'broker-frozen',
  'connections-closed',
  'events-exchange-deleted',
  'permission-lost',
  'node-killed',
  'node-frozen',
  'node-parted',
  'nodes-restarted-in-turn',
  'node-left',
  'memory-alarm',
  'disk-alarm',
  'session-queue-deleted',
  'topic-queue-deleted',
];

/**
 * Whether a gap with nothing missing in its place is of a kind that PROTOCOL.md lists: where the edge cannot know, it tells.
 * - a topic after a lost socket (`connection-lost`), whatever was published meanwhile
 * - `session-expired` where the queue was gone (`resumed` is false), whatever it had held
 * - a topic (`broker-lost`, of one with history `history-lost`), and events whose queue was made anew, or of which
 *   the edge could not learn whether any was dropped, when the broker was away
 */
export function isListed(gap: Gap, topic: string | undefined, life: Life, lines: readonly Line[]): boolean {
  const index = life.dialled.findIndex(({ open }) => open.connection === gap.connection);
  const connection = life.dialled[index];
  if (connection === undefined) return false;
  const isBroker = within(gap.at, lines, brokerConditions);
  if (topic !== undefined) {
    // Where it has said up to where it has the topic, a lost socket loses nothing.
    if (gap.reason === 'connection-lost' && !hasSaidSince(connection, topic))
      return isAfterLoss(connection, life.dialled[index - 1]) || isBroker;
    return (gap.reason === 'broker-lost' || gap.reason === 'history-lost') && isBroker;
  }
  if (gap.reason === 'session-expired' && connection.welcome?.resumed === false && index > 0) return true;
  return isBroker && (gap.reason === 'session-expired' || gap.reason === 'broker-lost');
}

const hasSaidSince = ({ hello }: Connection, topic: string): boolean =>
  Array.isArray(hello?.topics) &&
  hello.topics.some(
    (each: { topic?: unknown; since?: unknown }) => each.topic === topic && each.since !== undefined,
  );

function isAfterLoss(connection: Connection, before: Connection | undefined): boolean {
  return before !== undefined && (before.close?.at ?? Infinity) <= (connection.welcomeAt ?? Infinity);
}

function within(at: number, lines: readonly Line[], names: readonly string[]): boolean {
  const conditions = lines.filter(
    (line): line is Condition => line.kind === 'condition' && names.includes(line.name),
  );
  return conditions.some(({ name, phase, at: begunAt }) => {
    if (phase !== 'begin' || at < begunAt) return false;
    const end = conditions.find((each) => each.name === name && each.phase === 'end' && each.at >= begunAt);
    return at <= (end?.at ?? Infinity) + echoMs;
  });
}
