import type { Publisher } from '@evenkeel/publisher';
import { amqpMetrics, type Ops, observeCounters, observeGauge } from '@evenkeel/runtime';

/** What Prometheus reads of an application's publisher: any service can show the same with the client of its choice. */
export function publisherMetrics(metrics: Ops['metrics'], read: () => Publisher | undefined): void {
  const figures = () => read()?.figures();
  amqpMetrics(metrics, () => {
    const { publishing, consuming } = figures()?.connections ?? {};
    const connections = { publishing, consuming };
    return Object.entries(connections).flatMap(([name, each]) => (each ? [[name, each] as const] : []));
  });
  observeCounters(
    metrics,
    'evenkeel_publisher_published_total',
    'Events, by what became of them: routed, unrouted (no queue took it), or the code of the error',
    'outcome',
    () => counts(figures()?.published),
  );
  observeCounters(
    metrics,
    'evenkeel_publisher_handled_total',
    'Messages of clients, by what became of them',
    'outcome',
    () => counts(figures()?.handled),
  );
  observeGauge(
    metrics,
    'evenkeel_publisher_handlers_running',
    'Handlers that run',
    () => figures()?.running ?? 0,
  );
}

const counts = (by: Readonly<Record<string, number>> | undefined): [string, number][] =>
  by === undefined ? [] : Object.entries(by);
