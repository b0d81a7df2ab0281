/**
 * Close codes and error codes of `evenkeel.v1`, with what a client does for each.
 * PROTOCOL.md prints both tables; a test keeps them equal.
 */

/** What a client does after a close: come back (at once or after backing off), or stop. */
export type AfterClose = 'reconnect' | 'backoff' | 'stop';

export interface CloseCode {
  readonly code: number;
  readonly reason: string;
  readonly after: AfterClose;
}

/** Every close code an edge sends. 4000–4499: reconnect; 4500–4999: do not. */
export const closeCodes = {
  /** The edge is going away; ask the gateway for another. */
  drained: {
    code: 4000,
    reason: 'drained',
    after: 'reconnect',
  },
  /** The session has gone to another edge and the client kept this socket; nothing more comes here. */
  moved: {
    code: 4001,
    reason: 'moved',
    after: 'reconnect',
  },
  /** No hello within 10 s of opening. */
  helloTimeout: {
    code: 4002,
    reason: 'hello-timeout',
    after: 'backoff',
  },
  /** The client read nothing for 30 s while more than the high watermark was buffered for it. */
  slowConsumer: {
    code: 4003,
    reason: 'slow-consumer',
    after: 'backoff',
  },
  /** Events were unacknowledged, and for 60 s no acknowledgement got on; or one was for 20 min. */
  ackTimeout: {
    code: 4004,
    reason: 'ack-timeout',
    after: 'backoff',
  },
  /** The session could not be attached to its queue, or to a topic of its `hello`, in time. */
  brokerUnavailable: {
    code: 4006,
    reason: 'broker-unavailable',
    after: 'backoff',
  },
  /** A newer ticket of this session is in use elsewhere; get a new one from the gateway. */
  staleTicket: {
    code: 4007,
    reason: 'stale-ticket',
    after: 'backoff',
  },
  /** It goes on sending more than it may, although each frame is refused. */
  rateLimited: {
    code: 4008,
    reason: 'rate-limited',
    after: 'backoff',
  },
  /** The edge that holds the session did not release it in time; it stays there. */
  takeoverFailed: {
    code: 4009,
    reason: 'takeover-failed',
    after: 'backoff',
  },
  /** The ticket is for another edge; the reason is its `url`, where the ticket is still good, if that edge lives. */
  wrongEdge: {
    code: 4010,
    reason: 'wrong-edge',
    after: 'reconnect',
  },
  /** The token has expired and no new one has come; reconnect with a new token. */
  tokenExpired: {
    code: 4011,
    reason: 'token-expired',
    after: 'reconnect',
  },
  /** A frame broke the protocol: not JSON, a field missing or wrong, hello not first, binary. */
  badFrame: {
    code: 4500,
    reason: 'bad-frame',
    after: 'stop',
  },
  /** A newer socket has taken over this session. */
  superseded: {
    code: 4501,
    reason: 'superseded',
    after: 'stop',
  },
  /** An operator disconnected this user. */
  disconnected: {
    code: 4502,
    reason: 'disconnected',
    after: 'stop',
  },
  /** An operator has denied this user or session. */
  denied: {
    code: 4503,
    reason: 'denied',
    after: 'stop',
  },
  /** A frame over the payload limit (64 KiB unless configured). */
  tooLarge: {
    code: 1009,
    reason: 'too-large',
    after: 'stop',
  },
  /** To bare clients only: this connection is to move; come back through the gateway. */
  serviceRestart: {
    code: 1012,
    reason: 'service-restart',
    after: 'reconnect',
  },
} as const satisfies Record<string, CloseCode>;

export type CloseName = keyof typeof closeCodes;

/**
 * What a client does after a close with `code`, known to it or not (the ranges decide). A test holds it against the table, which
 * clients for browsers do without.
 */
export function afterClose(code: number): AfterClose {
  if ([4000, 4001, 4010, 4011, 1012].includes(code)) return 'reconnect';
  const isStop = (code >= 4500 && code <= 4999) || [1002, 1003, 1007, 1008, 1009].includes(code);
  return isStop ? 'stop' : 'backoff';
}

/** Codes of `error` frames: they answer one request, the connection goes on. */
export const errorCodes = {
  unknownType: 'unknown-type',
  badTopic: 'bad-topic',
  badMethod: 'bad-method',
  topicLimit: 'topic-limit',
  rateLimited: 'rate-limited',
  noService: 'no-service',
  requestTimeout: 'request-timeout',
  brokerUnavailable: 'broker-unavailable',
  badId: 'bad-id',
  tooDeep: 'too-deep',
  forbidden: 'forbidden',
  tooLarge: 'too-large',
  streamLimit: 'stream-limit',
  noPresence: 'no-presence',
  notAsked: 'not-asked',
  noHistory: 'no-history',
  historyLost: 'history-lost',
} as const;
export type ErrorCode = (typeof errorCodes)[keyof typeof errorCodes];

/** Why nobody has got it. Often somebody took `publish` for a way to the subscribers of a topic. */
export const noServiceMessage = (kind: 'publish' | 'request', key: string): string =>
  kind === 'request'
    ? `no service answers '${key}': one has to serve() it`
    : `no service takes '${key}': publish() goes to services, which take it by on(); those relay it to subscribers`;

/** How a socket is closed whose client has said `bye`. */
export const sessionEnded: Pick<CloseCode, 'code' | 'reason'> = { code: 1000, reason: 'ended' };

/** Longest reason of a close frame, bytes. Source: RFC 6455, section 5.5. */
const maxReasonBytes = 123;

/** How a socket is closed whose ticket is good at `url`; empty: nobody knows where. A URL that is too long for it is left out. */
export function wrongEdgeAt(url: string): Pick<CloseCode, 'code' | 'reason'> {
  const { code, reason } = closeCodes.wrongEdge;
  const isTold = url !== '' && new TextEncoder().encode(url).length <= maxReasonBytes;
  return { code, reason: isTold ? url : reason };
}

/** Reasons in a `gap` frame. */
export const gapReasons = {
  /** The session's queue had expired or was deleted: what it held is gone. */
  sessionExpired: 'session-expired',
  /** The queue reached its length limit and dropped the oldest. */
  overflow: 'overflow',
  /** The client was away so long that events may have reached their time to live. */
  expired: 'expired',
  /** Topics: the socket was lost; what was published meanwhile is not known. */
  connectionLost: 'connection-lost',
  /** The edge lost the broker, or the broker what it kept. */
  brokerLost: 'broker-lost',
  /** It is larger than an edge sends on. */
  tooLarge: 'too-large',
  /** Topics: the client read too slowly and messages for it were dropped. */
  slowConsumer: 'slow-consumer',
  /** Topics with history: some of what was asked for is gone, and none of it comes. */
  historyLost: 'history-lost',
} as const;
/**
 * Why events or messages may be missing: `reason` of a gap.
 * @example
 * client.onStatus((status) => {
 *   if (status.type === 'gap') report(status.reason);
 * });
 * const mends: GapReason = 'connection-lost';
 */
export type GapReason = (typeof gapReasons)[keyof typeof gapReasons];
