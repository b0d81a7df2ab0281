import type { CertificateWatch, HttpServer as Http, Log } from '@evenkeel/runtime';
import { HealthRoutes, HttpServer, Origins, RequestLimits } from '@evenkeel/runtime';
import type { Operator } from 'evenkeel';
import { Access } from './access/access.js';
import { Refusals } from './access/refusals.js';
import { Sessions } from './access/sessions.js';
import { Tokens } from './access/tokens.js';
import { type BrokerView, viewEveryMs } from './api.js';
import type { ConsoleConfig } from './config.js';
import { connectionView, ViewPoll } from './mesh/view-poll.js';
import type { ConsoleMetrics } from './metrics.js';
import { LoginRoutes } from './routes/login.js';
import { MeshRoutes } from './routes/mesh.js';
import { Page } from './routes/page.js';
import { StreamRoute } from './routes/stream.js';

export interface ConsoleServerOptions {
  readonly config: Pick<
    ConsoleConfig,
    'host' | 'port' | 'trustedHops' | 'consoleTokens' | 'consoleOpen' | 'consoleHosts'
  >;
  readonly certificates?: CertificateWatch | undefined;
  /** The way to the management interface. */
  readonly operator: Pick<Operator, 'status' | 'execute' | 'readiness'>;
  readonly rabbitmq: () => Promise<BrokerView['rabbitmq']>;
  readonly metrics: ConsoleMetrics;
  readonly isReady: () => boolean;
  /** Folder of the page; by default what its build makes. */
  readonly pageDir?: string;
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Log;
}

/** Requests of one address: a page of which each part is looked at at once stays below it. This machine's own are not limited. */
const rate = { perSecond: 20, burst: 100 };
/** Connections of one address. */
const addressConnections = 100;

/** What a console serves. */
export interface ConsoleServer {
  readonly http: Http;
  readonly page: Page;
  readonly streams: StreamRoute;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly poll: ViewPoll;
}

/** Puts together what a console serves. Touches nothing. */
export function consoleServer(options: ConsoleServerOptions): ConsoleServer {
  const { config, operator, metrics, now, clock, log } = options;
  const poll = new ViewPoll({
    ask: () => operator.status(),
    readiness: () => operator.readiness(),
    everyMs: viewEveryMs,
    now,
    clock,
  });
  const sessions = new Sessions();
  const tokens = new Tokens(config.consoleTokens);
  const { consoleOpen: isOpen, consoleHosts: hosts, trustedHops } = config;
  const access = new Access({ sessions, isOpen, hosts, trustedHops, now });
  const refusals = new Refusals({ onRefused: metrics.refused, log, now });
  const page = new Page(access, options.pageDir);
  const streams = new StreamRoute(access, poll);
  const http = new HttpServer({
    host: config.host,
    port: config.port,
    certificates: options.certificates,
    // No page but its own asks it anything.
    origins: new Origins([]),
    trustedHops,
    limits: new RequestLimits(
      { address: rate, user: rate, limitLoopback: false },
      metrics.limited,
      Math.random,
    ),
    addressConnections,
    onRejected: metrics.limited,
    onRefused: (refused) => refusals.note(refused),
    now,
    texts: {
      notFound: 'no such path; docs/console.md has them',
      failed: 'the console failed; its log says why',
    },
    routes: [
      new HealthRoutes(options.isReady),
      new LoginRoutes({ access, sessions, tokens, onLogin: metrics.login, now, log }),
      streams,
      new MeshRoutes({
        access,
        view: () => poll.fresh(),
        broker: async () => ({ ...connectionView(operator.readiness()), rabbitmq: await options.rabbitmq() }),
        execute: (command, opts) => operator.execute(command, opts),
        onCommand: metrics.command,
      }),
      page,
    ],
    log,
  });
  return { http, page, streams, sessions, tokens, poll };
}
