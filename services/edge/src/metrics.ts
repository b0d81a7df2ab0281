import type { Denials } from '@evenkeel/mesh';
import type { NodeStats } from '@evenkeel/protocol';
import { type Ops, observeCounter, observeCounters, observeGauge, observeHistogram } from '@evenkeel/runtime';
import type { EdgeAccess } from './access/access.js';
import type { Authorizations } from './access/authorizations.js';
import type { Denying } from './control/denying.js';
import type { Adoptions } from './life/adoptions.js';
import type { Happenings } from './life/happenings.js';
import type { Life } from './life/life.js';
import type { Load } from './session/load.js';
import type { NamePace } from './topic/name-pace.js';
import type { ConnectionCounts } from './transport/connection.js';
import type { PendingConnections } from './transport/pending.js';
import type { DroppedEvents } from './undelivered/dropped.js';
import type { Undelivered } from './undelivered/undelivered.js';
import type { Users } from './user/users.js';

interface EdgeSources {
  readonly counts: ConnectionCounts;
  readonly pending: Pick<PendingConnections, 'count' | 'refused'>;
  readonly users: Pick<Users, 'refused'>;
  readonly namePace: Pick<NamePace, 'waiting'>;
  readonly load: Load;
  readonly topics: { readonly faults: number };
  readonly undelivered: Pick<Undelivered, 'counts' | 'refused'>;
  readonly dropped: Pick<DroppedEvents, 'leftOut'>;
  readonly life: Pick<Life, 'away' | 'forgotten' | 'crowdedOut'>;
  readonly happenings: Pick<Happenings, 'told' | 'waiting' | 'dropped'>;
  readonly adoptions: Pick<Adoptions, 'adopted'>;
  readonly denials: Pick<Denials, 'size'>;
  readonly denying: Pick<Denying, 'denied'>;
  readonly access: Pick<EdgeAccess, 'forbidden' | 'takenAway' | 'refreshes' | 'outlived' | 'size'>;
  readonly authorizations: Pick<Authorizations, 'counts' | 'size'>;
  stats(): NodeStats | undefined;
}

/** What Prometheus reads of an edge; taken from the same figures as `node-stats`, at the time of the scrape. */
export function edgeMetrics(metrics: Ops['metrics'], sources: EdgeSources): void {
  const { counts, pending, users, load, topics, undelivered, dropped, life, happenings, adoptions } = sources;
  const { namePace, denials, denying, stats } = sources;
  accessMetrics(metrics, sources);
  const gauge = (name: string, help: string, read: (stats: NodeStats) => number) =>
    observeGauge(metrics, name, help, () => {
      const current = stats();
      return current ? read(current) : 0;
    });
  const counter = (name: string, help: string, read: () => number) =>
    observeCounter(metrics, name, help, read);
  observeGauge(metrics, 'evenkeel_connections', 'Open sockets past the ticket check', () => counts.open);
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
  gauge('evenkeel_unreachable', '1: clients that dial the public URL do not get here', ({ reachable }) =>
    reachable === false ? 1 : 0,
  );
  gauge('evenkeel_sessions', 'Sessions attached to their queue', ({ sessions }) => sessions);
  gauge('evenkeel_sessions_pinned', 'Sessions that what is in front keeps here', ({ pinned = 0 }) => pinned);
  gauge('evenkeel_unacked', 'Events written and not acknowledged', ({ unacked }) => unacked);
  gauge('evenkeel_moves_pending', 'Sessions told to move and not gone', ({ moves }) => moves.pending);
  gauge('evenkeel_loop_lag_p99_ms', 'Event loop lag, 99th percentile', (s) => s.loopLagP99Ms);
  gauge('evenkeel_handshake_p99_ms', 'Hello to welcome, 99th percentile', (s) => s.handshakeP99Ms);
  counter('evenkeel_handshakes_total', 'Sockets accepted', () => counts.accepted);
  counter(
    'evenkeel_tickets_honoured_total',
    'Sockets accepted with a ticket for another edge, which agreed',
    () => counts.honoured,
  );
  counter('evenkeel_wrong_edge_total', 'Sockets closed with wrong-edge', () => counts.wrongEdge);
  counter('evenkeel_tickets_refused_total', 'Upgrades refused for their ticket', () => counts.refusedTickets);
  counter('evenkeel_upgrades_refused_total', 'Upgrades refused: draining or full', () => counts.refusedFull);
  counter(
    'evenkeel_origins_refused_total',
    'Upgrades refused: of a page that is not of EVENKEEL_ORIGINS',
    () => counts.refusedOrigins,
  );
  observeGauge(
    metrics,
    'evenkeel_topics_waiting',
    'Subscriptions of topics that are new here, which wait for their turn to be bound',
    () => namePace.waiting,
  );
  counter(
    'evenkeel_user_sockets_refused_total',
    'Upgrades refused: their user has as many sockets here as one may have',
    () => users.refused,
  );
  counter(
    'evenkeel_sessions_crowded_out_total',
    'Sessions ended before their time because their user had too many',
    () => life.crowdedOut,
  );
  observeCounters(
    metrics,
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
  counter('evenkeel_events_written_total', 'Directed events written', () => load.delivered);
  observeHistogram(
    metrics,
    'evenkeel_publish_to_socket_seconds',
    'From evenkeel-at to the socket, of one directed event in eight, by the clocks of both hosts',
    () => load.publishDelays,
  );
  counter('evenkeel_gaps_total', 'Gaps told to clients', () => load.gaps);
  counter(
    'evenkeel_topic_faults_total',
    'Topics left more often than joined: a fault of the edge',
    () => topics.faults,
  );
  counter('evenkeel_moves_done_total', 'Sessions moved away', () => stats()?.moves.done ?? 0);
  counter('evenkeel_moves_failed_total', 'Moves that failed', () => stats()?.moves.failed ?? 0);
  counter(
    'evenkeel_moves_unfenced_total',
    'Sessions moved before all topic messages were seen to be sent',
    () => load.unfenced,
  );
  observeCounters(
    metrics,
    'evenkeel_undelivered_total',
    'Events published on mesh.undelivered, by why they were dropped',
    'why',
    () => Object.entries(undelivered.counts),
  );
  counter(
    'evenkeel_undelivered_refused_total',
    'Events that could not be published on mesh.undelivered in any form',
    () => undelivered.refused,
  );
  counter(
    'evenkeel_dropped_left_out_total',
    'Dead letters of sessions that are no event: seals, replies, foreign ones',
    () => dropped.leftOut,
  );
  observeGauge(
    metrics,
    'evenkeel_sessions_away',
    'Sessions without a connection that this edge ends when their time is over',
    () => life.away,
  );
  counter(
    'evenkeel_sessions_adopted_total',
    'Sessions taken over from edges that are gone',
    () => adoptions.adopted,
  );
  counter(
    'evenkeel_sessions_forgotten_total',
    "Sessions left to RabbitMQ's expiry because too many were away",
    () => life.forgotten,
  );
  observeGauge(metrics, 'evenkeel_denials', 'Users and sessions that operators keep out', () => denials.size);
  counter(
    'evenkeel_denied_total',
    'Sockets closed and upgrades refused because an operator keeps the user or session out',
    () => denying.denied,
  );
  counter('evenkeel_happenings_told_total', 'Messages on mesh.sessions', () => happenings.told);
  counter(
    'evenkeel_happenings_dropped_total',
    'Happenings not told because too many waited for the broker',
    () => happenings.dropped,
  );
  observeGauge(
    metrics,
    'evenkeel_happenings_waiting',
    'Happenings told and not yet confirmed by the broker',
    () => happenings.waiting,
  );
}

function accessMetrics(
  metrics: Ops['metrics'],
  { access, authorizations }: Pick<EdgeSources, 'access' | 'authorizations'>,
): void {
  const counters = (
    name: string,
    help: string,
    label: string,
    read: () => Iterable<readonly [string, number]>,
  ) => observeCounters(metrics, name, help, label, read);
  counters('evenkeel_forbidden_total', 'Frames refused because the user may not do it', 'action', () =>
    Object.entries(access.forbidden),
  );
  counters('evenkeel_unsubscribed_total', 'Topics taken away from clients', 'reason', () =>
    Object.entries(access.takenAway),
  );
  counters('evenkeel_refreshes_total', 'New tokens brought by clients, by what came of them', 'outcome', () =>
    Object.entries(access.refreshes),
  );
  counters(
    'evenkeel_authorizations_total',
    'Questions to services and the hook, and their answers',
    'outcome',
    () => authorizations.counts,
  );
  observeCounter(
    metrics,
    'evenkeel_token_expired_total',
    'Sockets closed because their tokens had expired',
    () => access.outlived,
  );
  observeGauge(
    metrics,
    'evenkeel_grant_sets',
    'Distinct sets of grants that are known',
    () => access.size.sets,
  );
  observeGauge(metrics, 'evenkeel_authorizations_kept', 'Answers remembered', () => authorizations.size);
}
