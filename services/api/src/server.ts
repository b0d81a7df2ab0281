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
import type { Disconnection } from './command/disconnect.js';
import type { Placing } from './command/place.js';
import type { Asking } from './command/request.js';
import type { ApiConfig } from './config.js';
import { lastMessages } from './contract/limits.js';
import { openApi } from './contract/openapi.js';
import {
  disconnectUser,
  publish,
  publishBatch,
  requestOfUser,
  subscribeUser,
  topicHistory,
  topicPresence,
  unsubscribeUser,
  user,
} from './contract/operations.js';
import type { Published } from './contract/schemas.js';
import type { Disconnected, Placed } from './contract/users.js';
import { writtenData } from './contract/written-data.js';
import type { WrittenJson } from './contract/written-json.js';
import { OperationRoutes, type Served, serve } from './http/operation-routes.js';
import { sendProblem } from './http/problem.js';
import { refusalOf } from './http/refusals.js';
import { Answers } from './idempotency/answers.js';
import type { TopicLooks } from './look/topics.js';
import type { UserLooks } from './look/users.js';
import type { ApiMetrics } from './metrics.js';
import { isComplete, publishBatch as sendBatch } from './publish/batch.js';
import { type Ready, ready, type Sends, type Sent, send as sendReady } from './publish/publish.js';
import { Room } from './publish/room.js';
import { Documents } from './routes/documents.js';

/** Connections of one address; this machine's own are not limited. */
const addressConnections = 1_000;
/** How long a message waits for room, and then for its confirm. */
const confirmMs = 10_000;
/** Messages on their way to RabbitMQ, of all requests: more than it has unconfirmed at once, and less than the publisher refuses. */
const roomRules = { maxMessages: 2_048, maxBytes: 16_777_216 };
/** Answers that are remembered for repeats, all together. */
const answersBytes = 16_777_216;

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
    | 'idempotencyKeys'
    | 'idempotencyS'
  >;
  readonly certificates?: CertificateWatch | undefined;
  readonly sends: Sends;
  readonly topics: Pick<TopicLooks, 'past' | 'members'>;
  readonly users: Pick<UserLooks, 'user'>;
  readonly disconnect: (asked: Disconnection) => Promise<Disconnected>;
  readonly place: (asked: Placing) => Promise<Placed>;
  readonly request: (asked: Asking) => Promise<WrittenJson>;
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
  const served = operationsOf(options, limits);
  const refusals = new RefusalLog(log, {
    saidElsewhere: new Set(),
    expected: new Set(['unavailable', 'unconfirmed', 'no-answer']),
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
        answers: new Answers({
          maxKeys: config.idempotencyKeys,
          maxBytes: answersBytes,
          keepMs: config.idempotencyS * 1_000,
        }),
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

/** What answers each operation. */
export function operationsOf(
  options: Omit<ApiServerOptions, 'config' | 'certificates' | 'isReady'>,
  limits: Pick<KeyLimits, 'take'>,
): Served[] {
  const { sends, topics, users, disconnect, place, request, metrics, now, log } = options;
  const room = new Room(roomRules);
  const send = async (message: Ready): Promise<Sent> => {
    const sent = await sendReady(message, { sends, room, waitMs: confirmMs });
    const count = ({ routed, unrouted: without }: Published) => {
      const unrouted = without?.length ?? (routed ? 0 : 1);
      metrics.published('unrouted', unrouted);
      metrics.published('routed', (message.users === undefined ? 1 : new Set(message.users).size) - unrouted);
    };
    sent.confirmed.then(count, () => {});
    return sent;
  };
  return [
    serve(publish, async ({ body, text, newId }) => (await send(ready(body, text, newId))).confirmed),
    serve(
      publishBatch,
      async ({ body, text, newId, holder }) => {
        // One is taken already.
        if (body.messages.length > 1) limits.take(holder.name, now(), body.messages.length - 1);
        return sendBatch(body, text, { newId, send, refusalOf });
      },
      isComplete,
    ),
    serve(topicHistory, ({ params: { topic }, query: { since, last = lastMessages.byDefault } }) =>
      topics.past(topic, since === undefined ? { last } : { since }),
    ),
    serve(topicPresence, ({ params: { topic } }) => topics.members(topic)),
    serve(user, ({ params: { id } }) => users.user(id)),
    serve(
      disconnectUser,
      async ({ params: { id: of }, body: { session }, newId, holder }) => {
        const ended = await disconnect({ user: of, session, id: newId() });
        // The balancer's audit has the API's user alone.
        log.info({ by: holder.name, user: of, sessions: ended.sessions.length }, 'user disconnected');
        return ended;
      },
      ({ complete }) => complete,
    ),
    serve(subscribeUser, ({ params, body, newId }) =>
      place({ command: 'join', user: params.id, ...body, id: newId() }),
    ),
    serve(unsubscribeUser, ({ params, body, newId }) =>
      place({ command: 'leave', user: params.id, ...body, id: newId() }),
    ),
    serve(requestOfUser, async ({ params, body, text, newId }) =>
      request({ user: params.id, ...body, data: writtenData(text), id: newId() }),
    ),
  ];
}
