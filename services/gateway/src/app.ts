import { Broker } from '@evenkeel/broker';
import { type Lifecycle, type Log, OpsServer } from '@evenkeel/runtime';
import { TicketOffice } from '@evenkeel/ticket';
import { Admission } from './admission/admission.js';
import { floorOf } from './admission/ceiling.js';
import { createAuthenticate } from './auth/authenticate.js';
import { StatsFeed } from './cluster/stats-feed.js';
import type { GatewayConfig } from './config.js';
import { createCors } from './http/cors.js';
import { HttpServer } from './http/server.js';
import { LocalClient } from './local/local-client.js';
import { GatewayMetrics } from './metrics.js';
import { ruleDefaults } from './placement/choose.js';
import { Placer } from './placement/placer.js';
import { LocalRoutes } from './routes/local.js';
import { Page } from './routes/page.js';

/** Edges report once a second: after this long a gateway knows those that there are. */
const firstLookMs = 1_200;

export interface GatewayApp {
  /** The port of `GET /gateway`; 0 before the start. */
  readonly port: number;
  readonly opsPort: number;
}

/** Adds a gateway's parts to `lifecycle`, in the order in which they start; they stop in reverse. */
export async function buildGateway(
  config: GatewayConfig,
  { lifecycle, log, signal }: { lifecycle: Lifecycle; log: Log; signal?: AbortSignal },
): Promise<GatewayApp> {
  const now = () => Date.now();
  const metrics = new GatewayMetrics();
  const { handshakesPerSecond: base, handshakeTargetMs: targetMs, newSessionsPerSecond } = config;
  const placer = new Placer({
    rules: { ...ruleDefaults, strategy: config.strategy, prefersNewest: config.preferNewest },
    admission: new Admission(
      { ceiling: { base, floor: floorOf(base), targetMs }, newSessionsPerSecond },
      now(),
    ),
    reservationMs: config.ticketLifetimeMs,
    random: Math.random,
  });
  metrics.watch(placer, now);
  const http = new HttpServer({
    host: config.host,
    port: config.port,
    cors: createCors(config.corsOrigin),
    route: {
      authenticate: await createAuthenticate(config),
      placer,
      office: new TicketOffice(config.secret.split(',')),
      ticketLifetimeMs: config.ticketLifetimeMs,
      metrics,
      now,
    },
    page: config.auth === 'dev' ? new Page(config.pageDir) : undefined,
    local:
      config.auth === 'dev'
        ? new LocalRoutes(() => placer.snapshot(now()).nodes, npmStart(config))
        : undefined,
    log,
  });
  if (config.auth === 'dev') log.warn({}, 'development mode: anyone may be any user');
  if (config.auth === 'off') log.warn({}, 'nobody is let in: set EVENKEEL_AUTH');

  let broker: Broker | undefined;
  let feed: StatsFeed | undefined;
  let hasLooked = false;
  const ops = new OpsServer({
    port: config.opsPort,
    host: config.opsHost,
    metrics: metrics.registry,
    ready: () => ({
      started: lifecycle.isReady || 'still starting',
      broker: broker?.state === 'open' || 'not connected to RabbitMQ',
      // An edge need not be there: it may start after its gateway.
      statistics: hasLooked || 'no interval of statistics has passed yet',
    }),
    status: () => placer.snapshot(now()),
  });

  lifecycle.add('ops', ops);
  lifecycle.add('broker', {
    start: async () => {
      broker = await Broker.connect({
        url: config.amqpUrl,
        name: 'gateway',
        log,
        ...(signal === undefined ? {} : { signal }),
      });
    },
    stop: () => broker?.close(),
  });
  lifecycle.add('statistics', {
    start: async () => {
      if (broker === undefined) return;
      feed = new StatsFeed(broker, log, (stats) => placer.observe(stats, now()));
      await feed.start();
      setTimeout(() => {
        hasLooked = true;
      }, firstLookMs).unref();
    },
    stop: () => feed?.stop(),
  });
  // Last: whoever is answered must be answered from statistics.
  lifecycle.add('http', {
    start: async () => {
      await http.start();
      log.info({ port: http.port, auth: config.auth }, 'gateway listening');
    },
    stop: () => http.stop(),
  });
  return {
    get port() {
      return http.port;
    },
    get opsPort() {
      return ops.port;
    },
  };
}

/** The `npm start` that runs this gateway, if one does and takes requests. */
function npmStart({ localUrl, localToken }: GatewayConfig): LocalClient | undefined {
  return localUrl === undefined || localToken === undefined
    ? undefined
    : new LocalClient(localUrl, localToken);
}
