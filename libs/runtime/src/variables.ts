import { closest, distance } from 'fastest-levenshtein';
import { fileVariableOf } from './secret-files.js';

const everyService = [
  'EVENKEEL_AMQP_URL',
  'EVENKEEL_AMQP_CA_FILE',
  'EVENKEEL_AMQP_CERT_FILE',
  'EVENKEEL_AMQP_KEY_FILE',
  'EVENKEEL_AMQP_SERVER_NAME',
  'EVENKEEL_AMQP_EXTERNAL',
  'EVENKEEL_OPS_PORT',
  'EVENKEEL_OPS_HOST',
  'EVENKEEL_OPS_TOKEN',
  'EVENKEEL_OPS_HOSTS',
  'EVENKEEL_LOG_LEVEL',
  'EVENKEEL_LOG_FORMAT',
];

/** Of what answers by HTTP. */
const httpServer = [
  'EVENKEEL_HOST',
  'EVENKEEL_PORT',
  'EVENKEEL_TLS_CERT_FILE',
  'EVENKEEL_TLS_KEY_FILE',
  'EVENKEEL_TRUSTED_HOPS',
];

/**
 * Every variable of Evenkeel by whose it is, so that a service can tell a mistyped variable from another's. A test of
 * each service holds its list against its schema.
 */
export const variablesOf = {
  edge: [
    ...everyService,
    'EVENKEEL_SECRET',
    'EVENKEEL_BALANCER_USER',
    'EVENKEEL_NODE',
    'EVENKEEL_NAME_WAIT_MS',
    'EVENKEEL_HOST',
    'EVENKEEL_PORT',
    'EVENKEEL_TLS_CERT_FILE',
    'EVENKEEL_TLS_KEY_FILE',
    'EVENKEEL_PUBLIC_URL',
    'EVENKEEL_REACHABILITY_URL',
    'EVENKEEL_AGENT_PORT',
    'EVENKEEL_TRUSTED_HOPS',
    'EVENKEEL_AUTH',
    'EVENKEEL_NAMESPACES',
    'EVENKEEL_ORIGINS',
    'EVENKEEL_OTEL',
    'EVENKEEL_VERSION',
    'EVENKEEL_WEIGHT',
    'EVENKEEL_CAPACITY',
    'EVENKEEL_MEMORY_LIMIT_BYTES',
    'EVENKEEL_MAX_PENDING',
    'EVENKEEL_MAX_PENDING_PER_ADDRESS',
    'EVENKEEL_HANDSHAKES_PER_SECOND',
    'EVENKEEL_HANDSHAKES_BURST',
    'EVENKEEL_USER_HANDSHAKES_PER_SECOND',
    'EVENKEEL_USER_HANDSHAKES_BURST',
    'EVENKEEL_MAX_SOCKETS_PER_USER',
    'EVENKEEL_MAX_SESSIONS_PER_USER',
    'EVENKEEL_FRAMES_PER_SECOND',
    'EVENKEEL_FRAMES_BURST',
    'EVENKEEL_BYTES_PER_SECOND',
    'EVENKEEL_BYTES_BURST',
    'EVENKEEL_USER_FRAMES_PER_SECOND',
    'EVENKEEL_USER_FRAMES_BURST',
    'EVENKEEL_USER_BYTES_PER_SECOND',
    'EVENKEEL_USER_BYTES_BURST',
    'EVENKEEL_MAX_WAITING_BYTES',
    'EVENKEEL_MAX_WAITING_BYTES_PER_USER',
    'EVENKEEL_USER_TOPICS_PER_SECOND',
    'EVENKEEL_USER_TOPICS_BURST',
    'EVENKEEL_TOPICS_PER_SECOND',
    'EVENKEEL_TOPICS_BURST',
    'EVENKEEL_MAX_PRESENT',
    'EVENKEEL_LIMIT_LOOPBACK',
    'EVENKEEL_WINDOW',
    'EVENKEEL_HEARTBEAT_MS',
    'EVENKEEL_HELLO_TIMEOUT_MS',
    'EVENKEEL_ACK_TIMEOUT_MS',
    'EVENKEEL_SLOW_CONSUMER_MS',
    'EVENKEEL_MAX_PAYLOAD_BYTES',
    'EVENKEEL_HIGH_WATERMARK_BYTES',
    'EVENKEEL_MAX_BUFFERED_BYTES',
    'EVENKEEL_MAX_EVENT_BYTES',
    'EVENKEEL_MAX_TOPICS',
    'EVENKEEL_PRESENCE_GRACE_MS',
    'EVENKEEL_REQUEST_TIMEOUT_MS',
    'EVENKEEL_MAX_STREAMS',
    'EVENKEEL_HISTORY_TAIL_MESSAGES',
    'EVENKEEL_HISTORY_TAIL_BYTES',
    'EVENKEEL_HISTORY_STREAM_BYTES',
    'EVENKEEL_SESSION_LIFETIME_MS',
    'EVENKEEL_SESSION_MAX_LENGTH',
    'EVENKEEL_MOVES_PER_SECOND',
    'EVENKEEL_MOVE_DEADLINE_MS',
    'EVENKEEL_SETTLE_TIMEOUT_MS',
    'EVENKEEL_TAKEOVER_RETRY_MS',
    'EVENKEEL_TAKEOVER_TIMEOUT_MS',
    'EVENKEEL_DRAIN_TIMEOUT_MS',
    'EVENKEEL_DRAIN_PATIENCE_MS',
  ],
  gateway: [
    ...everyService,
    'EVENKEEL_CELLS',
    'EVENKEEL_SECRET',
    ...httpServer,
    'EVENKEEL_AUTH',
    'EVENKEEL_ALLOW_DEV',
    'EVENKEEL_AUTH_HOOK_URL',
    'EVENKEEL_AUTH_HOOK_SECRET',
    'EVENKEEL_JWT_PUBLIC_KEY',
    'EVENKEEL_JWT_SECRET',
    'EVENKEEL_JWKS_URL',
    'EVENKEEL_JWT_ISSUER',
    'EVENKEEL_JWT_AUDIENCE',
    'EVENKEEL_JWT_MAX_AGE_S',
    'EVENKEEL_NAMESPACES',
    'EVENKEEL_ORIGINS',
    'EVENKEEL_CORS_ORIGIN',
    'EVENKEEL_PAGE_DIR',
    'EVENKEEL_LOCAL_URL',
    'EVENKEEL_CONSOLE_URL',
    'EVENKEEL_LOCAL_TOKEN',
    'EVENKEEL_NODE_URL_PATTERN',
    'EVENKEEL_TICKET_LIFETIME_MS',
    'EVENKEEL_STRATEGY',
    'EVENKEEL_PREFER_NEWEST',
    'EVENKEEL_HANDSHAKES_PER_SECOND',
    'EVENKEEL_HANDSHAKE_TARGET_MS',
    'EVENKEEL_NEW_SESSIONS_PER_SECOND',
    'EVENKEEL_ADDRESS_REQUESTS_PER_SECOND',
    'EVENKEEL_ADDRESS_REQUESTS_BURST',
    'EVENKEEL_ADDRESS_CONNECTIONS',
    'EVENKEEL_USER_REQUESTS_PER_SECOND',
    'EVENKEEL_USER_REQUESTS_BURST',
    'EVENKEEL_LIMIT_LOOPBACK',
    'EVENKEEL_USER_RESERVATIONS',
  ],
  balancer: [
    ...everyService,
    'EVENKEEL_ID',
    'EVENKEEL_OPERATORS',
    'EVENKEEL_NODE_URL_PATTERN',
    'EVENKEEL_MODE',
    'EVENKEEL_STRATEGY',
    'EVENKEEL_LOAD',
    'EVENKEEL_MAINTENANCE_WINDOWS',
    'EVENKEEL_RELATIVE_THRESHOLD',
    'EVENKEEL_ABSOLUTE_THRESHOLD',
    'EVENKEEL_QUIET_MS',
    'EVENKEEL_DEPLOY_HOLD_MS',
    'EVENKEEL_MOVE_DEADLINE_MS',
    'EVENKEEL_START_PER_SECOND',
    'EVENKEEL_MAX_PER_SECOND',
    'EVENKEEL_HANDSHAKE_P99_MS',
    'EVENKEEL_LOOP_LAG_P99_MS',
  ],
  console: [
    ...everyService,
    ...httpServer,
    'EVENKEEL_CONSOLE_TOKENS',
    'EVENKEEL_CONSOLE_OPEN',
    'EVENKEEL_CONSOLE_HOSTS',
    'EVENKEEL_RABBITMQ_API_URL',
  ],
  api: [
    ...everyService,
    ...httpServer,
    'EVENKEEL_API_KEYS',
    'EVENKEEL_KEY_REQUESTS_PER_SECOND',
    'EVENKEEL_KEY_REQUESTS_BURST',
    'EVENKEEL_MAX_OPEN_REQUESTS',
    'EVENKEEL_MAX_BODY_BYTES',
    'EVENKEEL_IDEMPOTENCY_KEYS',
    'EVENKEEL_IDEMPOTENCY_S',
    'EVENKEEL_NAMESPACES',
    'EVENKEEL_WEBHOOKS',
  ],
  demo: [...everyService, 'EVENKEEL_OPERATOR_AMQP_URL', 'EVENKEEL_EVERY_MS'],
  crowd: [...everyService, 'EVENKEEL_GATEWAY', 'EVENKEEL_CROWD_CLIENTS', 'EVENKEEL_CROWD_EVERY_MS'],
  /** Of `npm start`, the tests and the command line. */
  tools: [
    'EVENKEEL_APP_AMQP_URL',
    'EVENKEEL_OPERATOR_AMQP_URL',
    'EVENKEEL_VIEWER_AMQP_URL',
    'EVENKEEL_API_URL',
    'EVENKEEL_API_KEY',
    'EVENKEEL_STATE_DIR',
    'EVENKEEL_TEST_BROKER',
    'EVENKEEL_TEST_BROKER_IMAGE',
    'EVENKEEL_TEST_BROKERS',
    'EVENKEEL_CHROMIUM',
  ],
} as const satisfies Record<string, readonly string[]>;

/** Those that hold a secret; each may be in a file too, which `<VARIABLE>_FILE` names. Held by the same tests. */
export const secretVariables = [
  'EVENKEEL_AMQP_URL',
  'EVENKEEL_OPERATOR_AMQP_URL',
  'EVENKEEL_APP_AMQP_URL',
  'EVENKEEL_VIEWER_AMQP_URL',
  'EVENKEEL_SECRET',
  'EVENKEEL_JWT_SECRET',
  'EVENKEEL_AUTH_HOOK_SECRET',
  'EVENKEEL_NAMESPACES',
  'EVENKEEL_CELLS',
  'EVENKEEL_LOCAL_TOKEN',
  'EVENKEEL_OPS_TOKEN',
  'EVENKEEL_CONSOLE_TOKENS',
  'EVENKEEL_API_KEYS',
  'EVENKEEL_WEBHOOKS',
  'EVENKEEL_RABBITMQ_API_URL',
] as const;

/** What a service reads: its variables, and for each secret that which names a file. */
export function readBy(service: keyof typeof variablesOf): string[] {
  const secrets: ReadonlySet<string> = new Set(secretVariables);
  return variablesOf[service].flatMap((variable) =>
    secrets.has(variable) ? [variable, fileVariableOf(variable)] : [variable],
  );
}

/** A variable that is set and that nothing knows. */
interface UnknownVariable {
  readonly variable: string;
  /** The known one that it is close to, if any. */
  readonly didYouMean: string | undefined;
}

const prefix = 'EVENKEEL_';

/** The variables of `env` that begin as ours do and belong to nothing of ours. */
export function unknownVariables(env: NodeJS.ProcessEnv): UnknownVariable[] {
  const known = new Set((Object.keys(variablesOf) as (keyof typeof variablesOf)[]).flatMap(readBy));
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !known.has(name))
    .map((variable) => ({ variable, didYouMean: nearest(variable.slice(prefix.length), known) }));
}

/** At most a third of the letters may be wrong: else the guess would only confuse. */
function nearest(word: string, known: ReadonlySet<string>): string | undefined {
  const guess = closest(
    word,
    [...known].map((name) => name.slice(prefix.length)),
  );
  return distance(word, guess) <= Math.max(1, word.length / 3) ? prefix + guess : undefined;
}
