import { brokerAddresses, monotonicNow, wallNow } from '@evenkeel/pace';
import { amqpMetrics, amqpTlsOf, certificatesOf, type ServiceContext } from '@evenkeel/runtime';
import type { ConsoleConfig } from './config.js';
import { OperatorLink } from './mesh/operator-link.js';
import { consoleMetrics } from './metrics.js';
import { ManagementApi } from './rabbitmq/management-api.js';
import { consoleServer } from './server.js';

/** Builds a console and says in which order its parts start and stop. */
export function build(config: ConsoleConfig, { lifecycle, log, ops, onReload }: ServiceContext): void {
  const now = monotonicNow;
  const tls = amqpTlsOf(config);
  const link = new OperatorLink({
    operator: { amqpUrl: config.amqpUrl, ...(tls && { tls }), log },
    log,
    now,
  });
  const rabbitmq =
    config.rabbitmqApiUrl && new ManagementApi(config.rabbitmqApiUrl, vhostOf(config.amqpUrl), now);
  const { http, page, streams, tokens } = consoleServer({
    config,
    certificates: certificatesOf(config, { log, ops, onReload }),
    operator: link,
    rabbitmq: async () => (rabbitmq ? rabbitmq.view() : null),
    metrics: consoleMetrics(ops.metrics),
    isReady: () => ops.isReady(),
    now,
    clock: wallNow,
    log,
  });
  if (config.consoleOpen) log.warn({}, 'development mode: whoever is on this machine operates');
  else if (tokens.isEmpty) log.warn({}, 'nobody may log in: set EVENKEEL_CONSOLE_TOKENS');

  amqpMetrics(ops.metrics, () => {
    const figures = link.figures();
    return figures === undefined ? [] : [['operator', figures] as const];
  });

  // No check of readiness: when RabbitMQ is away, this is where an operator sees that it is.
  ops.note('broker', () => {
    const connected = link.readiness();
    return connected === true ? undefined : connected;
  });

  lifecycle
    .add('operator', { start: () => link.start(), stop: () => link.stop() })
    .add('page', page)
    .add('http', {
      start: async () => {
        await http.start();
        log.info({ port: http.port }, 'console listening');
      },
      stop: () => http.stop(),
    })
    // Stopped before the server: it waits for open requests.
    .add('streams', { stop: () => streams.stop() });
}

/** The virtual host that an address names; without one `/`. */
function vhostOf(amqpUrl: string): string {
  return decodeURIComponent(brokerAddresses(amqpUrl)[0].pathname.slice(1)) || '/';
}
