import type { NodeStats } from '@evenkeel/protocol';
import { type Ops, observeCounter, observeCounters, observeGauge } from '@evenkeel/runtime';
import type { Load } from '../session/load.js';
import type { ConnectionCounts } from '../transport/counts.js';
import type { PendingConnections } from '../transport/pending.js';
import type { Users } from '../user/users.js';
import { type LimitSources, limitHits } from './limit-hits.js';

/** What is measured of connections. */
export interface ConnectionSources extends LimitSources {
  readonly counts: ConnectionCounts;
  readonly room: { readonly capacity: number };
  readonly pending: Pick<PendingConnections, 'count' | 'refused' | 'refusedFor'>;
  readonly users: Pick<Users, 'refused'>;
  readonly load: Load;
  stats(): NodeStats | undefined;
}

/** What Prometheus reads of an edge's connections, and of what is refused. */
export function connectionMetrics(metrics: Ops['metrics'], sources: ConnectionSources): void {
  const { counts, room, pending, users, load, stats } = sources;
  const counter = observeCounter.bind(undefined, metrics);
  const counters = observeCounters.bind(undefined, metrics);
  observeGauge(metrics, 'evenkeel_connections', 'Open sockets past the ticket check', () => counts.open);
  observeGauge(metrics, 'evenkeel_capacity', 'Most connections that it takes', () => room.capacity);
  observeGauge(
    metrics,
    'evenkeel_pending_connections',
    'Connections that have not asked for anything yet',
    () => pending.count,
  );
  counter(
    'evenkeel_pending_refused_total',
    'Connections closed at once: too many had not asked for anything yet, in all or of their address',
    () => pending.refused,
  );
  observeGauge(metrics, 'evenkeel_unreachable', '1: clients that dial the public URL do not get here', () =>
    stats()?.reachable === false ? 1 : 0,
  );
  observeGauge(
    metrics,
    'evenkeel_loop_lag_p99_seconds',
    'Event loop lag of the last second, 99th percentile',
    () => (stats()?.loopLagP99Ms ?? 0) / 1_000,
  );
  counter('evenkeel_handshakes_total', 'Sockets accepted', () => counts.accepted);
  counters(
    'evenkeel_closes_total',
    'WebSockets closed, by code: of RFC 6455 or of PROTOCOL.md, else `other`',
    'code',
    () => counts.closes,
  );
  counter(
    'evenkeel_tickets_honoured_total',
    'Sockets accepted with a ticket for another edge, which agreed',
    () => counts.honoured,
  );
  counter('evenkeel_wrong_edge_total', 'Sockets closed with wrong-edge', () => counts.wrongEdge);
  counters(
    'evenkeel_tickets_refused_total',
    'Upgrades refused for their ticket: `expired`, `forged`, `malformed`, `stale`, `used`',
    'reason',
    () => counts.refusedTickets,
  );
  counters(
    'evenkeel_upgrades_refused_total',
    'Upgrades refused for want of room: `full`, `draining`, `memory`, `tickets` (too many used ones are remembered)',
    'reason',
    () => counts.refusedFull,
  );
  counters(
    'evenkeel_handshakes_limited_total',
    'Upgrades answered rate-limited, by whose there were too many of: `address`, `user`',
    'by',
    () => counts.refusedRates,
  );
  counter(
    'evenkeel_origins_refused_total',
    'Upgrades refused: of a page that is not of EVENKEEL_ORIGINS',
    () => counts.refusedOrigins,
  );
  counter(
    'evenkeel_user_sockets_refused_total',
    'Upgrades refused: their user has as many sockets here as one may have',
    () => users.refused,
  );
  counters(
    'evenkeel_limit_hits_total',
    'Times that a limit was met, by the setting or the limit of docs/limits.md',
    'limit',
    () => limitHits(sources),
  );
  counters(
    'evenkeel_frames_refused_total',
    'Frames answered rate-limited, by what there was too much of',
    'why',
    () => Object.entries(load.refused),
  );
  counter(
    'evenkeel_offenders_closed_total',
    'Connections closed because their client went on although it was refused',
    () => load.offenders,
  );
  counter('evenkeel_frames_received_total', 'Frames from clients', () => counts.framesIn);
  counter('evenkeel_sent_bytes_total', 'Bytes sent to clients', () => counts.bytesOut);
}
