import { namespacesOf } from '@evenkeel/access';
import { Mesh } from '@evenkeel/mesh';
import { monotonicNow, wallNow } from '@evenkeel/pace';
import { exchanges } from '@evenkeel/protocol';
import { createPublisher, type Publisher } from '@evenkeel/publisher';
import { amqpMetrics, amqpTlsOf, certificatesOf, readText, type ServiceContext } from '@evenkeel/runtime';
import { Calls } from './command/calls.js';
import { disconnect } from './command/disconnect.js';
import { place } from './command/place.js';
import { request } from './command/request.js';
import type { ApiConfig } from './config.js';
import { looks } from './look/build.js';
import { apiMetrics } from './metrics.js';
import { apiServer } from './server.js';
import { readWebhooks } from './webhooks/settings.js';
import { WebhookService } from './webhooks/webhooks.js';

/** A snapshot for an edge that there is not. */
const nowhere = { exchange: exchanges.presence, key: 'snapshot.api-probe' };
/** What an alarm of RabbitMQ means here. */
const inAlarm = 'what is published waits, and is answered 503 unconfirmed where that takes too long';

/** Builds an API and says in which order its parts start and stop. */
export function build(config: ApiConfig, { lifecycle, log, ops, signal, onReload }: ServiceContext): void {
  const tls = amqpTlsOf(config);
  const { amqpUrl } = config;
  let publisher: Publisher | undefined;
  const connected = (): Publisher => {
    if (publisher === undefined) throw new Error('asked before it was connected');
    return publisher;
  };
  const mesh = new Mesh({
    url: amqpUrl,
    tls,
    name: 'api mesh',
    log,
    uses: [exchanges.presence, exchanges.manage, exchanges.topics, exchanges.ask],
    probe: { ...nowhere, isWanted: () => true },
  });
  const namespaces = namespacesOf(config.namespaces, readText);
  const known = looks({ mesh, namespaces, now: monotonicNow, wallNow, log });
  const calls = new Calls(mesh);
  const metrics = apiMetrics(ops.metrics, () => server.limits.open);
  const server = apiServer({
    config,
    certificates: certificatesOf(config, { log, ops, onReload }),
    sends: {
      toUser: (...args) => connected().toUser(...args),
      toTopic: (...args) => connected().toTopic(...args),
    },
    topics: known.topics,
    users: known.users,
    disconnect: (asked) => disconnect(asked, { calls, users: known.users }),
    place: (asked) => place(asked, { calls }),
    request: (asked) => request(asked, { calls }),
    metrics,
    isReady: () => ops.isReady(),
    now: monotonicNow,
    log,
  });
  const { http, keys } = server;
  if (keys.isEmpty) log.warn({}, 'nobody may ask: set EVENKEEL_API_KEYS');
  amqpMetrics(ops.metrics, () => {
    const events = publisher?.figures().connections.publishing;
    const others = [...mesh.figures()].map(([role, figures]) => [`mesh ${role}`, figures] as const);
    return [...(events === undefined ? [] : [['publishing', events] as const]), ...others];
  });
  const read = config.webhooks === undefined ? [] : readWebhooks(config.webhooks);
  const webhooks = (typeof read === 'string' ? [] : read).map(
    (webhook) =>
      new WebhookService({
        webhook,
        amqpUrl: webhook.amqpUrl ?? amqpUrl,
        tls,
        onOutcome: metrics.webhook,
        log,
      }),
  );
  // An application that is not told is no reason to take requests from others elsewhere.
  ops.note('webhooks', () =>
    webhooks.map((each) => each.readiness()).find((each): each is string => typeof each === 'string'),
  );
  // Nor an alarm, in which every service is: what was published is confirmed afterwards.
  ops.note('alarm', () => {
    const isBlocked = publisher?.figures().connections.publishing?.isBlocked;
    return mesh.alarm(inAlarm) ?? (isBlocked ? `RabbitMQ has raised an alarm: ${inAlarm}` : undefined);
  });
  // Nor is one that nobody answers who knows.
  ops.note('mesh', known.note);
  ops.note('answers', () => {
    const readiness = calls.queue.readiness();
    return readiness === true ? undefined : readiness;
  });
  ops.readiness('broker', () => publisher?.readiness() ?? 'not connected to RabbitMQ yet; the log says why');

  lifecycle
    .add('publisher', {
      start: async () => {
        publisher = await createPublisher({ amqpUrl, ...(tls && { tls }), name: 'api', log, signal });
      },
      stop: () => publisher?.close(),
    })
    .add('mesh', {
      start: async () => {
        // Publishing needs none of it: a mesh whose balancer is older is no reason to wait.
        mesh
          .start(signal)
          .then(() => Promise.all([known.start(signal), calls.queue.start(signal)]))
          .catch((error: unknown) => {
            if (!signal.aborted) log.error({ err: error }, 'topics and users cannot be looked at');
          });
      },
      stop: async () => {
        await Promise.all([known.stop(), calls.queue.stop()]);
        await mesh.stop();
      },
    })
    .add('webhooks', {
      start: () => {
        for (const each of webhooks) each.start(signal);
      },
      stop: async () => {
        await Promise.all(webhooks.map((each) => each.stop()));
      },
    })
    .add('http', {
      start: async () => {
        await http.start();
        log.info({ port: http.port }, 'api listening');
      },
      stop: () => http.stop(),
    });
}
