import { randomUUID } from 'node:crypto';
import {
  type CertificateWatch,
  HealthRoutes,
  HttpServer,
  isLoopback,
  type Log,
  Origins,
  RefusalLog,
} from '@evenkeel/runtime';
import { Access } from './access/access.js';
import { Keys } from './access/keys.js';
import { KeyLimits } from './access/limits.js';
import type { ApiConfig } from './config.js';
import { openApi } from './contract/openapi.js';
import { publish } from './contract/operations.js';
import { OperationRoutes, type Served, serve } from './http/operation-routes.js';
import { sendProblem } from './http/problem.js';
import { refusalOf } from './http/refusals.js';
import type { ApiMetrics } from './metrics.js';
import { publishOne, type Sends } from './publish/publish.js';
import { Documents } from './routes/documents.js';

/** Connections of one address; this machine's own are not limited. */
const addressConnections = 1_000;
/** How long a publish waits for its confirm. */
const confirmMs = 10_000;

export interface ApiServerOptions {
  readonly config: Pick<
    ApiConfig,
    | 'host'
    | 'port'
    | 'trustedHops'
    | 'apiKeys'
    | 'keyRequestsPerSecond'
    | 'keyRequestsBurst'
    | 'maxOpenRequests'
    | 'maxBodyBytes'
  >;
  readonly certificates?: CertificateWatch | undefined;
  readonly sends: Sends;
  readonly metrics: ApiMetrics;
  readonly isReady: () => boolean;
  readonly now: () => number;
  readonly log: Log;
}

/** What an API serves. */
export interface ApiServer {
  readonly http: HttpServer;
  readonly keys: Keys;
  readonly limits: KeyLimits;
}

/** Puts together what an API serves. Touches nothing. */
export function apiServer(options: ApiServerOptions): ApiServer {
  const { config, certificates, metrics, isReady, now, log } = options;
  const keys = new Keys(config.apiKeys);
  const { keyRequestsPerSecond: perSecond, keyRequestsBurst: burst, maxOpenRequests: maxOpen } = config;
  const limits = new KeyLimits({ perSecond, burst, maxOpen }, metrics.limited);
  const served = operationsOf(options);
  const refusals = new RefusalLog(log, {
    saidElsewhere: new Set(),
    expected: new Set(['unavailable', 'unconfirmed']),
  });
  const http = new HttpServer({
    host: config.host,
    port: config.port,
    certificates,
    // Pages of other origins would hold a key that everybody can read.
    origins: new Origins([]),
    trustedHops: config.trustedHops,
    // Those of the key hold.
    limits: { address: () => {}, isLimited: (address) => !isLoopback(address) },
    addressConnections,
    onRejected: () => metrics.limited('connections'),
    onRefused: (refused) => refusals.tell(refused, now()),
    now,
    texts: {
      notFound: 'no such path; /openapi.json has them',
      failed: 'the service failed; its log says why',
    },
    refuse: sendProblem,
    routes: [
      new HealthRoutes(isReady),
      new Documents(openApi(served.map(({ operation }) => operation))),
      new OperationRoutes({
        served,
        access: new Access(keys, now, () => metrics.limited('wrong-keys')),
        limits,
        maxBodyBytes: config.maxBodyBytes,
        refusalOf,
        onAnswered: metrics.answered,
        now,
      }),
    ],
    log,
  });
  return { http, keys, limits };
}

function operationsOf({ sends, metrics }: ApiServerOptions): Served[] {
  return [
    serve(publish, async ({ body }) => {
      const answer = await publishOne(sends, body, { newId: randomUUID, waitMs: confirmMs });
      metrics.published(answer.routed ? 'routed' : 'unrouted');
      return answer;
    }),
  ];
}
