import type { Dashboard } from './dashboard.js';
import { heading, lines, type Query, rate } from './panel.js';

const chosen = '{service="edge", node=~"$node"}';
const each = (expr: string): Query => ({ expr, legend: '{{node}}' });
const sum = (metric: string): Query => each(`sum by (node) (${metric}${chosen})`);
const perSecond = (metric: string): Query =>
  each(`sum by (node) (rate(${metric}${chosen}[$__rate_interval]))`);

/** Edge by edge, with what bounds each. */
export const edges: Dashboard = {
  uid: 'evenkeel-edges',
  title: 'Evenkeel: edges',
  description: 'What each edge does, how near it is to its limits, and what it refuses.',
  choice: { name: 'node', metric: 'evenkeel_sessions', label: 'node' },
  panels: [
    heading('Load'),
    lines({ title: 'Sessions', queries: [sum('evenkeel_sessions')] }),
    lines({
      title: 'Events written',
      unit: 'ops',
      queries: [perSecond('evenkeel_events_written_total')],
    }),
    lines({ title: 'Bytes sent', unit: 'Bps', queries: [perSecond('evenkeel_sent_bytes_total')] }),
    lines({ title: 'Frames received', unit: 'ops', queries: [perSecond('evenkeel_frames_received_total')] }),
    lines({ title: 'Topics', queries: [sum('evenkeel_topics')] }),
    lines({ title: 'Being given back', queries: [sum('evenkeel_sessions_detached')] }),
    lines({ title: 'Moves pending', queries: [sum('evenkeel_moves_pending')] }),
    heading('Waiting'),
    lines({ title: 'Not acknowledged', queries: [sum('evenkeel_unacked')] }),
    lines({
      title: 'Sessions behind',
      description: 'Their clients have a whole window to acknowledge: more may wait in their queues.',
      queries: [sum('evenkeel_sessions_behind')],
    }),
    lines({
      title: 'Topic messages in RabbitMQ',
      description: 'Of all topics of the edge, looked at every 5 s.',
      queries: [sum('evenkeel_queue_messages')],
    }),
    lines({
      title: 'Outbox',
      description: 'Bytes kept for sockets that are slower than their events.',
      unit: 'bytes',
      queries: [sum('evenkeel_outbox_bytes')],
    }),
    heading('Refused'),
    lines({
      title: 'Tickets, by reason',
      unit: 'ops',
      queries: [rate('evenkeel_tickets_refused_total', 'reason', chosen)],
    }),
    lines({
      title: 'Limits met',
      description: 'docs/limits.md says what happens at each.',
      unit: 'ops',
      queries: [rate('evenkeel_limit_hits_total', 'limit', chosen)],
    }),
    lines({
      title: 'Closed, by code',
      unit: 'ops',
      queries: [rate('evenkeel_closes_total', 'code', chosen)],
    }),
    heading('Process'),
    lines({
      title: 'Processor',
      description: 'Of one core; an edge uses one.',
      unit: 'percentunit',
      queries: [perSecond('process_cpu_seconds_total')],
    }),
    lines({ title: 'Memory', unit: 'bytes', queries: [sum('process_resident_memory_bytes')] }),
    lines({
      title: 'Event loop lag, p99',
      unit: 's',
      warn: [0.1, 0.25],
      queries: [each(`nodejs_eventloop_lag_p99_seconds${chosen}`)],
    }),
    lines({
      title: 'Open files, of those allowed',
      unit: 'percentunit',
      max: 1,
      queries: [each(`process_open_fds${chosen} / process_max_fds${chosen}`)],
    }),
  ],
};
