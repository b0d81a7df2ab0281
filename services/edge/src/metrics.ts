import type { NodeStats } from '@evenkeel/protocol';
import { type Ops, observeCounter, observeGauge } from '@evenkeel/runtime';
import type { SessionTally } from './session/load.js';
import type { ConnectionCounts } from './transport/uws/server.js';

interface EdgeSources {
  readonly counts: ConnectionCounts;
  readonly tally: SessionTally;
  readonly topics: { readonly faults: number };
  stats(): NodeStats | undefined;
}

/** What Prometheus reads of an edge; taken from the same figures as `node-stats`, at the time of the scrape. */
export function edgeMetrics(metrics: Ops['metrics'], { counts, tally, topics, stats }: EdgeSources): void {
  observeGauge(metrics, 'evenkeel_connections', 'Open sockets past the ticket check', () => counts.open);
  observeGauge(
    metrics,
    'evenkeel_sessions',
    'Sessions attached to their queue',
    () => stats()?.sessions ?? 0,
  );
  observeGauge(
    metrics,
    'evenkeel_unacked',
    'Events written and not acknowledged',
    () => stats()?.unacked ?? 0,
  );
  observeGauge(
    metrics,
    'evenkeel_moves_pending',
    'Sessions told to move and not gone',
    () => stats()?.moves.pending ?? 0,
  );
  observeGauge(
    metrics,
    'evenkeel_loop_lag_p99_ms',
    'Event loop lag, 99th percentile',
    () => stats()?.loopLagP99Ms ?? 0,
  );
  observeGauge(
    metrics,
    'evenkeel_handshake_p99_ms',
    'Open to welcome, 99th percentile',
    () => stats()?.handshakeP99Ms ?? 0,
  );
  observeCounter(metrics, 'evenkeel_handshakes_total', 'Sockets accepted', () => counts.handshakes);
  observeCounter(
    metrics,
    'evenkeel_tickets_refused_total',
    'Upgrades refused for their ticket',
    () => counts.refusedTickets,
  );
  observeCounter(
    metrics,
    'evenkeel_upgrades_refused_total',
    'Upgrades refused: draining or full',
    () => counts.refusedFull,
  );
  observeCounter(metrics, 'evenkeel_frames_received_total', 'Frames from clients', () => counts.framesIn);
  observeCounter(metrics, 'evenkeel_sent_bytes_total', 'Bytes sent to clients', () => counts.bytesOut);
  observeCounter(metrics, 'evenkeel_events_written_total', 'Directed events written', () => tally.delivered);
  observeCounter(metrics, 'evenkeel_gaps_total', 'Gaps told to clients', () => tally.gaps);
  observeCounter(
    metrics,
    'evenkeel_topic_faults_total',
    'Topics left more often than joined: a fault of the edge',
    () => topics.faults,
  );
  observeCounter(metrics, 'evenkeel_moves_done_total', 'Sessions moved away', () => stats()?.moves.done ?? 0);
  observeCounter(
    metrics,
    'evenkeel_moves_failed_total',
    'Moves that failed',
    () => stats()?.moves.failed ?? 0,
  );
}
