import type { Backoff } from '@evenkeel/pace';
import type { MoveFrame, Placement } from '@evenkeel/protocol/wire';

/** The part of a WebSocket that is used; the global one and `ws` have it. */
export interface WebSocketLike {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}
/** A WebSocket class: the global one, or `ws` in Node 20. */
export type WebSocketClass = new (url: string, protocols?: string[]) => WebSocketLike;

/** The part of `sessionStorage` that is used. */
export interface SessionStorageLike {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** What is asked of the gateway. */
export interface PlacementQuery {
  /** Session to come back to; undefined: a new one. */
  session: string | undefined;
  /** Nodes that held the session last, newest first, at most 4. */
  from: readonly string[];
  user: string | undefined;
  token: string | undefined;
  /** Aborted after the attempt's 10 s, and by `close()`. */
  signal: AbortSignal;
}

/** Options of {@link connect}. Only `gateway` (or `placement`) is needed. */
export interface ConnectOptions {
  /** Base address of the gateway, e.g. `https://mesh.example`; asked at `{gateway}/gateway`. */
  gateway?: string;
  /** Bearer token. One that is refused (401) closes the client. */
  token?: string;
  /** Asked for a token before every look-up; the third refused in a row closes the client. */
  getToken?: () => string | Promise<string>;
  /** Whether the look-up carries cookies, as of `fetch`. Give `include` for a cookie of another origin. */
  credentials?: RequestCredentials;
  /** User id, for a gateway in development mode. */
  user?: string;
  /** Session to come back to, `[A-Za-z0-9_-]{1,64}`. Default: that of this tab, else a new one. */
  session?: string;
  /** Topics to subscribe from the start; their messages reach `onMessage` and handlers of `subscribe`. */
  topics?: string[];
  /** Default: the global one. Node 20 has none: pass that of `ws`. */
  WebSocket?: WebSocketClass;
  /** Default: the global one. */
  fetch?: typeof fetch;
  /**
   * Where the tab's session id survives a reload. Default: `sessionStorage` where there is one. While the page
   * lives the id is taken out, so a duplicated tab gets a session of its own. `false`: nowhere.
   */
  storage?: SessionStorageLike | false;
  /** Source of jitter, 0 ≤ x < 1. Default `Math.random`. */
  random?: () => number;
  /** Wait between attempts, full jitter. Default 500 to 20,000 ms. */
  backoff?: Partial<Backoff>;
  /** An event whose handler has not settled after this long counts as handled. Default 30,000 ms. */
  handlerTimeoutMs?: number;
  /** Acknowledge after this many handled events at the latest (never more than half a window). Default 16. */
  ackEvery?: number;
  /** Acknowledge this long after the first unacknowledged one at the latest. Default 50 ms. */
  ackAfterMs?: number;
  /** Publishes, requests and subscriptions without an answer; more are rejected. Default 1,000. */
  maxPending?: number;
  /** Ids of messages remembered per topic, to drop repeats after a change of socket. Default 512. */
  topicMemory?: number;
  /** Called when the mesh asks to move, before anything is dialled; may take most of `deadlineMs`. */
  beforeMove?: (move: MoveFrame) => void | Promise<void>;
  /** Replaces the look-up at the gateway (load drivers, tests). */
  placement?: (query: PlacementQuery) => Promise<Placement>;
}

/** Fixed numbers of this client. */
export const limits = {
  /** Look-up, and opening of a socket, each. */
  attemptMs: 10_000,
  /** From the open socket to `welcome`: longer than an edge tries to take a session over (30 s). */
  welcomeMs: 45_000,
  /** Wait for the new socket's `welcome` when the old one is already gone. */
  moveGraceMs: 10_000,
  /** Wait for the `moved` of the old socket that the new one's `welcome` has overtaken. */
  overtakenMs: 1_000,
  /** An answer to a ping after the page woke up or came online. */
  probeMs: 5_000,
  /** Messages kept from the new socket of a move until the old one has finished. */
  mergeBuffer: 10_000,
  /** How long repeats of a topic are looked for after a change of socket. */
  repeatMs: 30_000,
  /** Ids of directed events remembered; at least 2 × `window`. */
  recentEvents: 1_024,
  /** Events waiting for handlers; a window bounds them long before. */
  queuedEvents: 4_096,
  /** Statuses kept for a slow reader of `status()`; the oldest go. */
  statusBuffer: 256,
  /** A connection that lived this long starts its backoff anew. */
  stableMs: 5_000,
  /** `close()` waits for a running handler this long, then this long for the socket. */
  closeMs: 2_000,
} as const;
