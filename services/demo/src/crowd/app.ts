import { randomUUID } from 'node:crypto';
import { createPublisher, type Publisher } from '@evenkeel/publisher';
import { type Lifecycle, type Log, OpsServer } from '@evenkeel/runtime';
import { WebSocket } from 'ws';
import type { CrowdConfig } from './config.js';
import { Crowd } from './crowd.js';

/** SDK clients by the dozen, and a service that sends them what they check. Its counts are on `/status`. */
export function buildCrowd(
  config: CrowdConfig,
  { lifecycle, log }: { lifecycle: Lifecycle; log: Log },
): void {
  const crowd = new Crowd({
    clients: config.crowdClients,
    everyMs: config.crowdEveryMs,
    gateway: config.gateway,
    run: randomUUID().slice(0, 8),
    WebSocket,
    now: Date.now,
    onPublishFailed: (error) => log.warn({ err: error }, 'publishing failed'),
  });
  let publisher: Publisher | undefined;

  lifecycle.add(
    'ops',
    new OpsServer({
      port: config.opsPort,
      host: config.opsHost,
      ready: () => ({ started: lifecycle.isReady || 'still starting' }),
      status: () => crowd.status(),
    }),
  );
  lifecycle.add('publisher', {
    start: async () => {
      publisher = await createPublisher({ amqpUrl: config.amqpUrl, name: 'crowd', log });
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
