import type { Dashboard } from './dashboard.js';
import { heading, lines, quantiles, rate, stat } from './panel.js';

const byConnection = (metric: string) => ({
  expr: `sum by (instance, connection) (${metric})`,
  legend: '{{instance}} {{connection}}',
});

/** Gateways, balancers, and everybody's connections to RabbitMQ. */
export const control: Dashboard = {
  uid: 'evenkeel-control',
  title: 'Evenkeel: gateways, balancer, broker',
  description: 'Who is let in where, what the balancer does, and the connections to RabbitMQ.',
  panels: [
    heading('Gateways'),
    lines({
      title: 'Tickets, by edge',
      unit: 'ops',
      queries: [rate('evenkeel_gateway_placed_total', 'to')],
    }),
    lines({
      title: 'Told to come back, by reason',
      unit: 'ops',
      queries: [rate('evenkeel_gateway_refused_total', 'reason')],
    }),
    lines({
      title: 'Logins refused, by code',
      unit: 'ops',
      queries: [rate('evenkeel_gateway_unauthenticated_total', 'code')],
    }),
    lines({
      title: 'Answers',
      description: 'From a request for a place to its answer.',
      unit: 's',
      queries: quantiles('evenkeel_gateway_request_seconds'),
    }),
    lines({
      title: 'Under way to an edge',
      queries: [{ expr: 'sum by (to) (evenkeel_gateway_reserved)', legend: '{{to}}' }],
    }),
    lines({ title: 'Waiting for their slot', queries: [{ expr: 'sum(evenkeel_gateway_waiting)' }] }),
    lines({
      title: "Edges' clocks",
      unit: 's',
      queries: [{ expr: 'max by (to) (abs(evenkeel_gateway_node_clock_ahead_seconds))', legend: '{{to}}' }],
    }),
    heading('Balancer'),
    stat({ title: 'Leaders', queries: [{ expr: 'sum(evenkeel_balancer_leading)' }] }),
    stat({
      title: 'Paused',
      description: '1: nothing is levelled until an operator resumes it.',
      warn: [1, 2],
      queries: [{ expr: 'max(evenkeel_balancer_paused)' }],
    }),
    stat({
      title: 'Moves left of the plan',
      queries: [{ expr: 'max(evenkeel_balancer_plan_moves) - max(evenkeel_balancer_plan_moves_done)' }],
    }),
    stat({
      title: 'Age of its view',
      unit: 's',
      warn: [3, 15],
      queries: [{ expr: 'max(evenkeel_balancer_view_age_seconds)' }],
    }),
    lines({
      title: 'Nodes, by state',
      isStacked: true,
      queries: [{ expr: 'max by (state) (evenkeel_balancer_nodes)', legend: '{{state}}' }],
    }),
    lines({
      title: 'Decisions, by why',
      unit: 'ops',
      queries: [rate('evenkeel_balancer_decisions_total', 'why')],
    }),
    heading('RabbitMQ'),
    lines({ title: 'Connected', max: 1, queries: [byConnection('evenkeel_amqp_connected')] }),
    lines({
      title: 'Blocked',
      description: '1: RabbitMQ has raised an alarm and takes no messages.',
      max: 1,
      queries: [byConnection('evenkeel_amqp_blocked')],
    }),
    lines({
      title: 'Consumers recovering',
      queries: [byConnection('evenkeel_consumers_recovering')],
    }),
    lines({ title: 'Not confirmed', queries: [byConnection('evenkeel_amqp_unconfirmed')] }),
    lines({ title: 'Waiting to be sent', queries: [byConnection('evenkeel_amqp_waiting')] }),
    lines({ title: 'Channels', queries: [byConnection('evenkeel_amqp_channels')] }),
    heading('Processes'),
    lines({
      title: 'Processor, of one core',
      unit: 'percentunit',
      queries: [
        {
          expr: 'rate(process_cpu_seconds_total{job="evenkeel"}[$__rate_interval])',
          legend: '{{service}} {{instance}}',
        },
      ],
    }),
    lines({
      title: 'Memory',
      unit: 'bytes',
      queries: [
        { expr: 'process_resident_memory_bytes{job="evenkeel"}', legend: '{{service}} {{instance}}' },
      ],
    }),
    lines({
      title: 'Up',
      max: 1,
      queries: [{ expr: 'up{job="evenkeel"}', legend: '{{instance}}' }],
    }),
  ],
};
