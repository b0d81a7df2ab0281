import { type Ops, observeGauge } from '@evenkeel/runtime';
import { Counter } from 'prom-client';

interface DemoSources {
  price(): number;
}

/** What the demo counts as it goes. */
export interface DemoMetrics {
  published(events: number): void;
  /** A round of prices and orders was not confirmed. */
  failed(): void;
}

/** What Prometheus reads of the demo: the price at the time of the scrape, and what it has published. */
export function demoMetrics(metrics: Ops['metrics'], { price }: DemoSources): DemoMetrics {
  const published = new Counter({
    name: 'evenkeel_demo_published_total',
    help: 'Events that RabbitMQ has confirmed',
    registers: [metrics],
  });
  const failed = new Counter({
    name: 'evenkeel_demo_failed_rounds_total',
    help: 'Rounds of a price and the orders due of which something was not confirmed',
    registers: [metrics],
  });
  observeGauge(metrics, 'evenkeel_demo_price', 'The price that was published last', price);
  return { published: (events) => published.inc(events), failed: () => failed.inc() };
}
