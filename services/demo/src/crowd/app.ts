import { randomUUID } from 'node:crypto';
import { createPublisher, type Publisher } from '@evenkeel/publisher';
import { amqpTlsOf, type ServiceContext } from '@evenkeel/runtime';
import { WebSocket } from 'ws';
import { publisherMetrics } from '../publisher-metrics.js';
import type { CrowdConfig } from './config.js';
import { Crowd } from './crowd.js';
import { crowdMetrics } from './metrics.js';

/** SDK clients by the dozen, and a service that sends them what they check. Its counts are on `/status`. */
export function build(config: CrowdConfig, { lifecycle, log, ops }: ServiceContext): void {
  const tls = amqpTlsOf(config);
  const crowd = new Crowd({
    clients: config.crowdClients,
    everyMs: config.crowdEveryMs,
    gateway: config.gateway,
    run: randomUUID().slice(0, 8),
    WebSocket,
    now: () => performance.now(),
    onPublishFailed: (error) => log.warn({ err: error }, 'publishing failed'),
  });
  let publisher: Publisher | undefined;

  ops.status(() => crowd.status());
  publisherMetrics(ops.metrics, () => publisher);
  crowdMetrics(ops.metrics, () => crowd.status());

  ops.readiness('broker', () => publisher?.readiness() ?? 'not connected to RabbitMQ yet; the log says why');

  lifecycle.add('publisher', {
    start: async () => {
      publisher = await createPublisher({ amqpUrl: config.amqpUrl, ...(tls && { tls }), name: 'crowd', log });
    },
    stop: () => publisher?.close(),
  });
  lifecycle.add('clients', {
    start: () => {
      if (publisher !== undefined) crowd.start(publisher);
    },
    stop: () => crowd.stop(),
  });
}
