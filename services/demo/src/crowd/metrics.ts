import { type Ops, observeCounters, observeGauge } from '@evenkeel/runtime';
import type { CrowdStatus } from './crowd.js';

/** What Prometheus reads of the crowd: its clients, and what came of what was sent to them. */
export function crowdMetrics(metrics: Ops['metrics'], status: () => CrowdStatus): void {
  observeGauge(metrics, 'evenkeel_crowd_clients', 'Clients that have a connection', () => status().clients);
  observeGauge(
    metrics,
    'evenkeel_crowd_waiting',
    'Events that RabbitMQ has confirmed and that have not come yet',
    () => status().waiting,
  );
  observeCounters(
    metrics,
    'evenkeel_crowd_events_total',
    'What the clients have seen: received, lost, repeated, reordered, gaps (told to them), moves',
    'what',
    () => {
      const { events: received, lost, repeated, reordered, gaps, moves } = status();
      return Object.entries({ received, lost, repeated, reordered, gaps, moves });
    },
  );
}
