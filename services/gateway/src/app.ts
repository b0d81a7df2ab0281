import { steadyNow, wallNow } from '@evenkeel/pace';
import {
  amqpMetrics,
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
import { Returns } from './access/returning.js';
import { Authentication } from './auth/authentication.js';
import { Cell } from './cell/cell.js';
import { GatewayCells } from './cell/gateway-cells.js';
import { cellMapOf } from './cell/map.js';
import type { GatewayConfig } from './config.js';
import { LocalClient } from './local/local-client.js';
import { gatewayMetrics } from './metrics.js';
import { GatewayRoute } from './routes/gateway.js';
import { LocalRoutes } from './routes/local.js';
import { Page } from './routes/page.js';

/** Builds a gateway and says in which order its parts start and stop. */
export function build(
  config: GatewayConfig,
  { lifecycle, log, signal, ops, onReload }: ServiceContext,
): void {
  const authentication = new Authentication(config, (err) =>
    log.warn({ err }, 'keys not fetched or read; those before go on counting, fetched ones for a day'),
  );
  const metrics = gatewayMetrics(ops.metrics, {
    view: () => cells.view(steadyNow()),
    silentMs: () => cells.silentMs(steadyNow()),
  });
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
  const readMap = () => cellMapOf(config);
  const cells = new GatewayCells({
    map: readMap(),
    read: readMap,
    amqpUrl: config.amqpUrl,
    make: (amqpUrl, name) =>
      new Cell({
        amqpUrl,
        config,
        authenticate: (credentials) => authentication.authenticate(credentials),
        passes,
        forgotten: (node) => metrics.forget(node),
        onAnswered: (outcome) => metrics.refreshed(outcome),
        onRefused: (refused) => refusals.tell(refused, steadyNow()),
        log: name === undefined ? log : log.child({ cell: name }),
      }),
    log,
  });
  const origins = new Origins(config.origins ?? config.corsOrigin);
  const gateway = new GatewayRoute({
    origins,
    authenticate: (credentials) => authentication.authenticate(credentials),
    cells,
    limits,
    passes,
    returns: new Returns(config.secret, wallNow),
    signer: new TicketSigner(config.secret),
    ticketLifetimeMs: config.ticketLifetimeMs,
    metrics,
    log,
    now: steadyNow,
  });
  const local = new LocalRoutes(() => cells.view(steadyNow()).nodes, npmStart(config), config.consoleUrl);
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

  amqpMetrics(ops.metrics, () => cells.figures());
  for (const check of ['broker', 'statistics', 'denials'] as const)
    ops.readiness(check, () => cells.readiness(check));
  for (const note of ['denials', 'refresh', 'alarm', 'view'] as const) ops.note(note, () => cells.note(note));
  ops.note('cells', () => cells.down());
  ops.status(() => cells.snapshot(steadyNow()));

  onReload(() => authentication.reload());
  onReload(() => cells.reload());

  lifecycle
    .add('keys', authentication)
    .add('broker', cells.step('broker', signal))
    .add('statistics', cells.step('statistics', signal))
    .add('denials', cells.step('denials', signal))
    .add('refresh', cells.step('refresh', signal))
    .add('cells', cells.step('cells', signal))
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
