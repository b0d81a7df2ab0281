import type { Registry } from 'prom-client';
import { observeCounters, observeGauges } from './observed.js';

/** What a connection to RabbitMQ does at this moment. */
interface AmqpFigures {
  readonly isConnected: boolean;
  readonly isBlocked: boolean;
  readonly reconnects: number;
  readonly channels: number;
  readonly unconfirmed: number;
  readonly waiting: number;
  readonly operationsWaiting: number;
  readonly consumers: number;
  readonly recovering: number;
}

/**
 * What Prometheus reads of a service's connections to RabbitMQ, each by what it is for (`consuming`, `publishing`, …). `read`
 * gives those that there are, at the time of the scrape.
 */
export function amqpMetrics(metrics: Registry, read: () => Iterable<readonly [string, AmqpFigures]>): void {
  const each = (value: (figures: AmqpFigures) => number) => () =>
    [...read()].map(([connection, figures]) => [connection, value(figures)] as const);
  const gauge = (name: string, help: string, value: (figures: AmqpFigures) => number) =>
    observeGauges(metrics, name, help, 'connection', each(value));
  gauge('evenkeel_amqp_connected', '1: connected to RabbitMQ', ({ isConnected }) => (isConnected ? 1 : 0));
  gauge('evenkeel_amqp_blocked', '1: RabbitMQ has raised an alarm and takes no messages', ({ isBlocked }) =>
    isBlocked ? 1 : 0,
  );
  gauge('evenkeel_amqp_channels', 'Channels open', ({ channels }) => channels);
  gauge('evenkeel_amqp_unconfirmed', 'Messages sent and not confirmed', ({ unconfirmed }) => unconfirmed);
  gauge('evenkeel_amqp_waiting', 'Messages that wait to be sent', ({ waiting }) => waiting);
  gauge(
    'evenkeel_amqp_operations_waiting',
    'Declarations, bindings and looks that wait for a channel',
    ({ operationsWaiting }) => operationsWaiting,
  );
  gauge('evenkeel_consumers', 'Consumers that are wanted', ({ consumers }) => consumers);
  gauge(
    'evenkeel_consumers_recovering',
    'Consumers that do not consume: their channel or queue is gone',
    ({ recovering }) => recovering,
  );
  observeCounters(
    metrics,
    'evenkeel_amqp_reconnects_total',
    'Connections to RabbitMQ that came back after a loss',
    'connection',
    each(({ reconnects }) => reconnects),
  );
}
