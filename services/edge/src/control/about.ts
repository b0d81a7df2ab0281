import type { AboutEdge, AmqpFigures } from '@evenkeel/protocol';
import { shownSettings } from '@evenkeel/runtime';
import { type EdgeConfig, edgeConfig } from '../config.js';
import { limitSettings } from '../limits.js';
import type { MoveLedger } from '../move/ledger.js';
import type { Load } from '../session/load.js';
import type { ConnectionCounts } from '../transport/counts.js';
import type { PendingConnections } from '../transport/pending.js';
import type { Room } from '../transport/room.js';
import type { Users } from '../user/users.js';

/** Limits that are no protection against one client alone. */
const sizes: readonly string[] = [
  'capacity',
  'window',
  'maxPayloadBytes',
  'maxEventBytes',
  'highWatermarkBytes',
  'maxBufferedBytes',
  'maxTopics',
  'sessionMaxLength',
];

export interface AboutOptions {
  config: EdgeConfig;
  room: Pick<Room, 'capacity' | 'maxPending'>;
  ledger: Pick<MoveLedger, 'ends'>;
  counts: Pick<
    ConnectionCounts,
    'closes' | 'refusedTickets' | 'refusedFull' | 'refusedOrigins' | 'refusedRates'
  >;
  load: Pick<Load, 'gaps' | 'refused'>;
  pending: Pick<PendingConnections, 'refused'>;
  users: Pick<Users, 'refused'>;
  mesh: { figures(): Iterable<readonly [string, AmqpFigures]> };
}

/** Those that there were. */
const some = (counts: Iterable<readonly [string, number]>): Record<string, number> =>
  Object.fromEntries([...counts].filter(([, count]) => count > 0));

/** Whom and what this edge has turned away, by reason; the names are those of metrics and of the log. */
function refusals({ counts, load, pending, users }: AboutOptions): [string, number][] {
  return [
    ...[...counts.refusedTickets].map(([reason, count]): [string, number] => [`ticket-${reason}`, count]),
    ...counts.refusedFull,
    ...[...counts.refusedRates].map(([by, count]): [string, number] => [`${by}-rate`, count]),
    ['origin', counts.refusedOrigins],
    ['user', users.refused],
    ['pending', pending.refused],
    ...Object.entries(load.refused),
  ];
}

/** What this edge says of itself to operators: its limits and settings, without secrets, and what it has counted. */
export function aboutEdge(options: AboutOptions): AboutEdge {
  const { config, room, ledger, counts, load } = options;
  const limits: AboutEdge['limits'] = {};
  const settings: AboutEdge['settings'] = {};
  for (const [name, value] of Object.entries(shownSettings(edgeConfig, config))) {
    const isLimit = name in limitSettings || sizes.includes(name);
    if (isLimit && typeof value === 'number') limits[name] = value;
    else settings[name] = value;
  }
  return {
    limits: { ...limits, capacity: room.capacity, maxPending: room.maxPending },
    settings,
    closes: some(counts.closes),
    gaps: some(load.gaps),
    refused: some(refusals(options)),
    movesByOutcome: some(ledger.ends),
    amqp: Object.fromEntries(options.mesh.figures()),
  };
}
