import type { Dashboard } from './dashboard.js';
import { bars, heading, lines, quantiles, rate, stat, table } from './panel.js';

/** What somebody on call looks at first. */
export const mesh: Dashboard = {
  uid: 'evenkeel-mesh',
  title: 'Evenkeel: mesh',
  description: 'Whether clients are connected, events arrive in time, and the edges are level.',
  panels: [
    stat({ title: 'Sessions', queries: [{ expr: 'mesh:evenkeel_sessions:sum' }] }),
    stat({
      title: 'Events a second',
      unit: 'ops',
      queries: [{ expr: 'mesh:evenkeel_events_written:rate1m' }],
    }),
    stat({
      title: 'Publish to socket, p99',
      description: 'Of one directed event in eight, by the clocks of both hosts.',
      unit: 's',
      warn: [0.25, 1],
      queries: [{ expr: 'mesh:evenkeel_publish_to_socket_seconds:p99_5m' }],
    }),
    stat({
      title: 'Gaps in the last hour',
      warn: [1, 1_000],
      queries: [{ expr: 'sum(mesh:evenkeel_gaps:increase1h)' }],
    }),
    stat({
      title: 'Capacity taken',
      unit: 'percentunit',
      warn: [0.7, 0.8],
      queries: [{ expr: 'mesh:evenkeel_sessions:sum / mesh:evenkeel_capacity:sum' }],
    }),
    stat({
      title: 'Fullest edge, over the mean',
      warn: [1.1, 1.25],
      queries: [{ expr: 'max(evenkeel_balancer_load_max_over_mean)' }],
    }),
    bars({
      title: 'Edges, of their capacity',
      unit: 'percentunit',
      max: 1,
      warn: [0.7, 0.9],
      queries: [{ expr: 'sort_desc(node:evenkeel_load:ratio)', legend: '{{node}}' }],
    }),
    table({
      title: 'Alerts',
      queries: [{ expr: 'ALERTS{alertname=~"Evenkeel.*", alertstate="firing"}' }],
    }),
    heading('Clients'),
    lines({
      title: 'Sessions, by edge',
      isStacked: true,
      queries: [{ expr: 'sum by (node) (evenkeel_sessions)', legend: '{{node}}' }],
    }),
    lines({
      title: 'Without a connection',
      description: 'Sessions whose client is away, for 5 minutes at most.',
      queries: [{ expr: 'sum(evenkeel_sessions_away)', legend: 'away' }],
    }),
    lines({
      title: 'Connections closed, by code',
      description: 'Codes: PROTOCOL.md, closing.',
      unit: 'ops',
      queries: [rate('evenkeel_closes_total', 'code')],
    }),
    heading('Events'),
    lines({
      title: 'Publish to socket',
      unit: 's',
      queries: quantiles('evenkeel_publish_to_socket_seconds'),
    }),
    lines({ title: 'Publish to ack', unit: 's', queries: quantiles('evenkeel_publish_to_ack_seconds') }),
    lines({
      title: 'Gaps, by reason',
      description: 'Each is a client that was told that it may have missed events.',
      unit: 'ops',
      queries: [rate('evenkeel_gaps_total', 'reason')],
    }),
    heading('Coming in and moving'),
    lines({ title: 'Attach, by kind', unit: 's', queries: quantiles('evenkeel_attach_seconds', ['kind']) }),
    lines({ title: 'Move', unit: 's', queries: quantiles('evenkeel_move_seconds') }),
    lines({
      title: 'Moves, by outcome',
      unit: 'ops',
      queries: [rate('evenkeel_moves_total', 'outcome')],
    }),
    heading('Versions'),
    table({
      title: 'What runs',
      width: 24,
      queries: [{ expr: 'sum by (service, version, node_version) (evenkeel_build_info)' }],
    }),
  ],
};
