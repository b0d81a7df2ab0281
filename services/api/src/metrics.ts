import { type Ops, observeGauge, slowSeconds } from '@evenkeel/runtime';
import { Counter, Histogram } from 'prom-client';

/** What an API counts as it goes. */
export interface ApiMetrics {
  /** `operation` is one of the contract's. */
  answered(operation: string, status: number, tookMs: number): void;
  /** A request or a connection was refused by a limit. */
  limited(limit: 'key' | 'open' | 'wrong-keys' | 'connections'): void;
  /** What became of something that an application was to be told by webhook; `retried` for each further try. */
  webhook(kind: string, outcome: 'done' | 'retried' | 'refused' | 'dead'): void;
  /** Events that RabbitMQ has confirmed. */
  published(outcome: 'routed' | 'unrouted', events: number): void;
}

/** What Prometheus reads of an API; `open` tells how many requests are being answered. */
export function apiMetrics(metrics: Ops['metrics'], open: () => number): ApiMetrics {
  observeGauge(metrics, 'evenkeel_api_open_requests', 'Requests that are being answered', open);
  const requests = new Counter({
    name: 'evenkeel_api_requests_total',
    help: 'Requests by operation and status of the answer',
    labelNames: ['operation', 'status'],
    registers: [metrics],
  });
  const seconds = new Histogram({
    name: 'evenkeel_api_request_seconds',
    help: 'Time from a request to its answer',
    labelNames: ['operation'],
    buckets: [...slowSeconds],
    registers: [metrics],
  });
  const limited = new Counter({
    name: 'evenkeel_api_limited_total',
    help: 'Requests and connections refused by a limit: key (rate), open, wrong-keys, connections',
    labelNames: ['limit'],
    registers: [metrics],
  });
  const published = new Counter({
    name: 'evenkeel_api_published_total',
    help: 'Events that RabbitMQ has confirmed, by outcome: routed, unrouted (no queue took it)',
    labelNames: ['outcome'],
    registers: [metrics],
  });
  const webhooks = new Counter({
    name: 'evenkeel_api_webhooks_total',
    help: 'What applications were told by webhook, by outcome: done, retried (a further try), refused, dead (no more tries)',
    labelNames: ['kind', 'outcome'],
    registers: [metrics],
  });
  return {
    webhook: (kind, outcome) => webhooks.inc({ kind, outcome }),
    answered: (operation, status, tookMs) => {
      requests.inc({ operation, status: String(status) });
      seconds.observe({ operation }, tookMs / 1_000);
    },
    limited: (limit) => limited.inc({ limit }),
    published: (outcome, events) => published.inc({ outcome }, events),
  };
}
