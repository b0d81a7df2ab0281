import { ClockWatch, NodeUrls, silence } from '@evenkeel/cluster';
import { Denials, Mesh } from '@evenkeel/mesh';
import { steadyNow, wallNow } from '@evenkeel/pace';
import type { MeshPolicy, NodeStats } from '@evenkeel/protocol';
import { exchanges } from '@evenkeel/protocol';
import {
  amqpMetrics,
  amqpTlsOf,
  certificatesOf,
  HealthRoutes,
  HttpServer,
  Origins,
  RefusalLog,
  RequestLimits,
  type ServiceContext,
} from '@evenkeel/runtime';
import { TicketSigner } from '@evenkeel/ticket';
import { PassIssuer } from './access/pass-issuer.js';
import { Refreshes } from './access/refreshes.js';
import { Returns } from './access/returning.js';
import { Admission } from './admission/admission.js';
import { floorOf } from './admission/ceiling.js';
import { Authentication } from './auth/authentication.js';
import { StatsFeed } from './cluster/stats-feed.js';
import type { GatewayConfig } from './config.js';
import { LocalClient } from './local/local-client.js';
import { gatewayMetrics } from './metrics.js';
import { ruleDefaults } from './placement/choose.js';
import { viewKeptMs } from './placement/placements.js';
import { Placer } from './placement/placer.js';
import { GatewayRoute } from './routes/gateway.js';
import { LocalRoutes } from './routes/local.js';
import { Page } from './routes/page.js';
import { TurnedAway } from './routes/turned-away.js';

/** A key that no session and no question has. */
const nowhere = { exchange: exchanges.replies, key: 'gateway.probe' };
/** What an alarm of RabbitMQ means here. */
const inAlarm = 'new tokens of open sockets wait; clients are placed by the last view of the edges';

/** Builds a gateway and says in which order its parts start and stop. */
export function build(
  config: GatewayConfig,
  { lifecycle, log, signal, ops, onReload }: ServiceContext,
): void {
  const { handshakesPerSecond: base, handshakeTargetMs: targetMs, newSessionsPerSecond } = config;
  const placer = new Placer({
    rules: { ...ruleDefaults, strategy: config.strategy, prefersNewest: config.preferNewest },
    admission: new Admission(
      { ceiling: { base, floor: floorOf(base), targetMs }, newSessionsPerSecond },
      steadyNow(),
    ),
    reservationMs: config.ticketLifetimeMs,
    reservationsPerUser: config.userReservations,
    random: Math.random,
    forgotten: (node) => {
      metrics.forget(node);
      watch.forget(node);
    },
  });
  const watch = new ClockWatch(placer.clocks, (fields, message) => log.warn(fields, message));
  const mesh = new Mesh({
    url: config.amqpUrl,
    tls: amqpTlsOf(config),
    name: 'gateway',
    log,
    uses: [exchanges.stats],
    // Else it would learn of an alarm by the first new token of an open socket.
    probe: { ...nowhere, isWanted: () => placer.silentMs(steadyNow()) !== undefined },
  });
  const urls = new NodeUrls(config.nodeUrlPattern, (node, url) =>
    log.warn({ from: node, url }, 'node ignored: its URL is not one of EVENKEEL_NODE_URL_PATTERN'),
  );
  const onStats = (stats: NodeStats) => {
    if (!urls.takes(stats)) return;
    placer.observe(stats, steadyNow());
    watch.look(stats.node, wallNow() - steadyNow());
  };
  const onPolicy = ({ strategy }: MeshPolicy) => {
    if (placer.follow(strategy)) log.info({ strategy }, 'clients are placed as the balancer plans');
  };
  const feed = new StatsFeed(mesh, { onStats, onPolicy }, log);
  const denials = new Denials({ connection: mesh.consuming, now: wallNow, log });
  const authentication = new Authentication(config, (err) =>
    log.warn({ err }, 'keys not fetched or read; those before go on counting, fetched ones for a day'),
  );
  const metrics = gatewayMetrics(ops.metrics, { placer, now: steadyNow });
  const refusals = new RefusalLog(log, {
    // With the states of the edges.
    saidElsewhere: new Set(['no-edge-none', 'no-edge-full']),
    expected: new Set(['no-edge-wait']),
  });
  const limits = new RequestLimits(
    {
      address: { perSecond: config.addressRequestsPerSecond, burst: config.addressRequestsBurst },
      user: { perSecond: config.userRequestsPerSecond, burst: config.userRequestsBurst },
      limitLoopback: config.limitLoopback,
    },
    (by) => metrics.rejected(by),
    Math.random,
  );
  const passes = new PassIssuer(config.secret, wallNow);
  const refreshes = new Refreshes({
    mesh,
    authenticate: (credentials) => authentication.authenticate(credentials),
    denies: (who) => denials.denies(who),
    passes,
    times: (node) => placer.times(node, steadyNow()),
    onAnswered: (outcome) => metrics.refreshed(outcome),
    onRefused: (refused) => refusals.tell(refused, steadyNow()),
    log,
  });
  const origins = new Origins(config.origins ?? config.corsOrigin);
  const gateway = new GatewayRoute({
    origins,
    authenticate: (credentials) => authentication.authenticate(credentials),
    denies: (who) => denials.denies(who),
    placer,
    limits,
    passes,
    returns: new Returns(config.secret, wallNow),
    signer: new TicketSigner(config.secret),
    ticketLifetimeMs: config.ticketLifetimeMs,
    metrics,
    turnedAway: new TurnedAway(() => placer.snapshot(steadyNow()).nodes, log),
    log,
    now: steadyNow,
  });
  const local = new LocalRoutes(
    () => placer.snapshot(steadyNow()).nodes,
    npmStart(config),
    config.consoleUrl,
  );
  const certificates = certificatesOf(config, { log, ops, onReload });
  const http = new HttpServer({
    host: config.host,
    port: config.port,
    certificates,
    origins,
    trustedHops: config.trustedHops,
    limits,
    addressConnections: config.addressConnections,
    onRejected: (reason) => metrics.rejected(reason),
    onRefused: (refused) => refusals.tell(refused, steadyNow()),
    onAnswered: (status, tookMs) => metrics.answered(status, tookMs),
    now: steadyNow,
    texts: {
      notFound: 'no such path; clients ask GET /gateway',
      failed: 'the gateway failed; try again',
    },
    routes: [
      gateway,
      new HealthRoutes(() => ops.isReady()),
      ...(config.auth === 'dev' ? [local, new Page(config.pageDir)] : []),
    ],
    log,
  });
  if (config.auth === 'dev') log.warn({}, 'development mode: anyone may be any user');
  if (config.auth === 'off') log.warn({}, 'nobody is let in: set EVENKEEL_AUTH');

  amqpMetrics(ops.metrics, () => mesh.figures());
  ops.readiness('broker', () => mesh.readiness());
  ops.readiness('statistics', () => feed.readiness());
  ops.readiness('denials', () => denials.readiness());
  ops.note('denials', () => denials.lag());
  ops.note('refresh', () => refreshes.note());
  ops.note('alarm', () => mesh.alarm(inAlarm));
  ops.note('view', () => silence(placer.silentMs(steadyNow()), viewKeptMs));
  ops.status(() => placer.snapshot(steadyNow()));

  onReload(() => authentication.reload());

  lifecycle
    .add('keys', authentication)
    .add('broker', { start: () => mesh.start(signal), stop: () => mesh.stop() })
    .add('statistics', { start: () => feed.start(signal), stop: () => feed.stop() })
    .add('denials', { start: () => denials.start(signal), stop: () => denials.stop() })
    .add('refresh', { start: () => refreshes.start(signal), stop: () => refreshes.stop() })
    // Started last: placement needs statistics.
    .add('http', {
      start: async () => {
        await http.start();
        log.info({ port: http.port, auth: config.auth }, 'gateway listening');
      },
      stop: () => http.stop(),
    });
}

/** The `npm start` that runs this gateway, if one does and takes requests. */
function npmStart({ localUrl, localToken }: GatewayConfig): LocalClient | undefined {
  return localUrl === undefined || localToken === undefined
    ? undefined
    : new LocalClient(localUrl, localToken);
}
