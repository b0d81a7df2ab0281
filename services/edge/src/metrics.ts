import type { Denials } from '@evenkeel/mesh';
import type { NodeStats } from '@evenkeel/protocol';
import {
  type Ops,
  observeCounter,
  observeCounters,
  observeGauge,
  observeHistogram,
  observeHistograms,
} from '@evenkeel/runtime';
import { type AccessSources, accessMetrics } from './access/metrics.js';
import type { EventBindings } from './bindings/build.js';
import type { Denying } from './control/denying.js';
import type { Adoptions } from './life/adoptions.js';
import type { Happenings } from './life/happenings.js';
import type { Life } from './life/life.js';
import type { MoveLedger } from './move/ledger.js';
import { type MemorySources, memoryMetrics } from './pressure/metrics.js';
import { type QueueSources, queueMetrics } from './queue/metrics.js';
import type { Directory, Listed } from './session/directory.js';
import type { Load } from './session/load.js';
import { type ConnectionSources, connectionMetrics } from './stats/connection-metrics.js';
import { type HistorySources, historyMetrics } from './topic/history/metrics.js';
import type { TopicHub } from './topic/hub.js';
import type { NamePace } from './topic/name-pace.js';
import { type PresenceSources, presenceMetrics } from './topic/presence/metrics.js';
import type { DroppedEvents } from './undelivered/dropped.js';
import type { Undelivered } from './undelivered/undelivered.js';

/** A session as it is measured. */
interface Measurable extends Listed {
  readonly outbox: {
    readonly bytes: number;
    readonly isFull: boolean;
    readonly answers: { readonly size: number };
  };
}

export interface EdgeSources
  extends AccessSources,
    ConnectionSources,
    MemorySources,
    PresenceSources,
    QueueSources {
  readonly directory: Pick<Directory<Measurable>, 'values'>;
  readonly ledger: Pick<MoveLedger, 'ends' | 'times'>;
  readonly namePace: Pick<NamePace, 'waiting'>;
  readonly load: Load;
  readonly topics: Pick<TopicHub, 'faults' | 'size' | 'subscribers' | 'waiting' | 'come'>;
  readonly history: HistorySources;
  readonly undelivered: Pick<Undelivered, 'counts' | 'refused'>;
  readonly dropped: Pick<DroppedEvents, 'leftOut'>;
  readonly life: Pick<Life, 'away' | 'forgotten' | 'crowdedOut'>;
  readonly happenings: Pick<Happenings, 'told' | 'waiting' | 'dropped'>;
  readonly adoptions: Pick<Adoptions, 'adopted'>;
  readonly bindings: Pick<EventBindings, 'rebound'>;
  readonly denials: Pick<Denials, 'size'>;
  readonly denying: Pick<Denying, 'denied'>;
  stats(): NodeStats | undefined;
}

type Metrics = Ops['metrics'];

/** What Prometheus reads of an edge: what is counted anyway, taken when it is scraped. docs/metrics.md lists it. */
export function edgeMetrics(metrics: Metrics, sources: EdgeSources): void {
  connectionMetrics(metrics, sources);
  sessionMetrics(metrics, sources);
  eventMetrics(metrics, sources);
  streamMetrics(metrics, sources);
  topicMetrics(metrics, sources);
  historyMetrics(metrics, sources);
  queueMetrics(metrics, sources);
  moveMetrics(metrics, sources);
  lifeMetrics(metrics, sources);
  accessMetrics(metrics, sources);
  memoryMetrics(metrics, sources);
  presenceMetrics(metrics, sources);
}

function sessionMetrics(metrics: Metrics, { directory, load, life, stats }: EdgeSources): void {
  const gauge = (name: string, help: string, read: (stats: NodeStats) => number) =>
    observeGauge(metrics, name, help, () => {
      const current = stats();
      return current ? read(current) : 0;
    });
  gauge('evenkeel_sessions', 'Sessions attached to their queue', ({ sessions }) => sessions);
  gauge(
    'evenkeel_sessions_detached',
    'Sessions whose socket has closed and whose events are still being given back',
    ({ detached }) => detached,
  );
  observeGauge(
    metrics,
    'evenkeel_sessions_away',
    'Sessions without a connection that this edge ends when their time is over',
    () => life.away,
  );
  observeGauge(
    metrics,
    'evenkeel_sessions_behind',
    'Sessions whose clients have a whole window to acknowledge: more may wait in their queues',
    () => {
      let behind = 0;
      for (const { outbox } of directory.values()) if (outbox.isFull) behind += 1;
      return behind;
    },
  );
  gauge('evenkeel_sessions_pinned', 'Sessions that what is in front keeps here', ({ pinned = 0 }) => pinned);
  observeHistograms(
    metrics,
    'evenkeel_attach_seconds',
    'From hello to welcome, topics included: `new`, `resumed`, `moved`',
    'kind',
    () => Object.entries(load.attached),
  );
  gauge(
    'evenkeel_handshake_p99_seconds',
    'From hello to welcome without topics and other edges, of the last second, 99th percentile; the wait of who is next, if longer',
    (s) => s.handshakeP99Ms / 1_000,
  );
  observeCounters(
    metrics,
    'evenkeel_gaps_total',
    'Gaps told to clients, by the reason that they are told',
    'reason',
    () => load.gaps,
  );
}

function eventMetrics(metrics: Metrics, sources: EdgeSources): void {
  const { load, directory, undelivered, dropped, stats } = sources;
  observeCounter(
    metrics,
    'evenkeel_events_written_total',
    'Directed events and replies written',
    () => load.delivered,
  );
  observeGauge(
    metrics,
    'evenkeel_unacked',
    'Events written and not acknowledged',
    () => stats()?.unacked ?? 0,
  );
  observeGauge(
    metrics,
    'evenkeel_outbox_bytes',
    'Bytes that wait for clients: in sockets, and of events kept back',
    () => {
      let bytes = 0;
      for (const { outbox } of directory.values()) bytes += outbox.bytes;
      return bytes;
    },
  );
  observeHistogram(
    metrics,
    'evenkeel_publish_to_socket_seconds',
    'From evenkeel-at to the socket, of one directed event in eight, by the clocks of both hosts',
    () => load.publishDelays.toSocket,
  );
  observeHistogram(
    metrics,
    'evenkeel_publish_to_ack_seconds',
    "From evenkeel-at to the client's acknowledgement, of the same events",
    () => load.publishDelays.toAck,
  );
  observeCounters(
    metrics,
    'evenkeel_undelivered_total',
    'Events published on mesh.undelivered, by why they were dropped',
    'why',
    () => Object.entries(undelivered.counts),
  );
  observeCounter(
    metrics,
    'evenkeel_undelivered_refused_total',
    'Events that could not be published on mesh.undelivered in any form',
    () => undelivered.refused,
  );
  observeCounter(
    metrics,
    'evenkeel_dropped_left_out_total',
    'Dead letters of sessions that are no event: seals, replies, foreign ones',
    () => dropped.leftOut,
  );
}

function streamMetrics(metrics: Metrics, { load, directory }: EdgeSources): void {
  observeCounter(
    metrics,
    'evenkeel_parts_written_total',
    "Parts of services' answers written",
    () => load.streams.parts,
  );
  observeGauge(metrics, 'evenkeel_streams', 'Answers in parts that have begun and not ended', () => {
    let open = 0;
    for (const { outbox } of directory.values()) open += outbox.answers.size;
    return open;
  });
  observeCounters(
    metrics,
    'evenkeel_streams_ended_total',
    'Answers in parts by how they ended: `done`, `failed`, `timed-out`, `too-large`, `refused` (too many), `cancelled`',
    'how',
    () => load.streams.ends,
  );
}

function topicMetrics(metrics: Metrics, { counts, topics, namePace }: EdgeSources): void {
  const counter = observeCounter.bind(undefined, metrics);
  observeGauge(metrics, 'evenkeel_topics', 'Topics that are bound here', () => topics.size);
  observeGauge(
    metrics,
    'evenkeel_topic_subscriptions',
    'Subscriptions of topics by sessions here',
    () => topics.subscribers,
  );
  observeGauge(
    metrics,
    'evenkeel_topics_waiting',
    'Subscriptions of topics that are new here, which wait for their turn to be bound',
    () => namePace.waiting,
  );
  observeGauge(
    metrics,
    'evenkeel_queue_messages',
    'Messages of topics that wait for this edge in RabbitMQ, looked at every 5 s',
    () => topics.waiting,
  );
  counter(
    'evenkeel_topic_messages_total',
    'Messages of topics that have come from RabbitMQ, the marks of moves included',
    () => topics.come,
  );
  counter(
    'evenkeel_topic_frames_total',
    'Frames of topics sent, one to each subscriber',
    () => counts.topicFrames,
  );
  counter(
    'evenkeel_topic_faults_total',
    'Topics left more often than joined: a fault of the edge',
    () => topics.faults,
  );
}

function moveMetrics(metrics: Metrics, { ledger, load, stats }: EdgeSources): void {
  observeGauge(
    metrics,
    'evenkeel_moves_pending',
    'Sessions told to move and not gone',
    () => stats()?.moves.pending ?? 0,
  );
  observeCounters(
    metrics,
    'evenkeel_moves_total',
    'Sessions that were to move away: `done`, `failed`, `pinned`, `timed-out`, `refused` (not here, or moving already)',
    'outcome',
    () => ledger.ends,
  );
  observeHistogram(
    metrics,
    'evenkeel_move_seconds',
    'From the move frame until the session is gone, of the moves that are done',
    () => ledger.times,
  );
  observeCounter(
    metrics,
    'evenkeel_moves_unfenced_total',
    'Sessions moved before all topic messages were seen to be sent',
    () => load.unfenced,
  );
}

function lifeMetrics(metrics: Metrics, sources: EdgeSources): void {
  const { life, adoptions, bindings, denials, denying, happenings } = sources;
  const counter = observeCounter.bind(undefined, metrics);
  counter(
    'evenkeel_sessions_crowded_out_total',
    'Sessions ended before their time because their user had too many',
    () => life.crowdedOut,
  );
  counter(
    'evenkeel_sessions_adopted_total',
    'Sessions taken over from edges that are gone',
    () => adoptions.adopted,
  );
  counter(
    'evenkeel_sessions_rebound_total',
    'Queues of sessions bound to mesh.events again after their bindings had gone',
    () => bindings.rebound,
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
