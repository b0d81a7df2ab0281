import type { DialOptions } from './dial/options.js';
import type { BeforeMove } from './move/move.js';
import type { SessionStorageLike } from './session/session-store.js';
import type { WebSocketClass } from './transport/web-socket.js';

/** Options of {@link connect}. Only `gateway` (or `placement`) is needed. */
export interface ConnectOptions extends DialOptions {
  /** Session to come back to, `[A-Za-z0-9_-]{1,64}`. Default: that of this tab, else a new one. */
  session?: string | undefined;
  /** The proof that came with `session`: `client.resume`. Without it a gateway that checks tokens gives a new session. */
  resume?: string | undefined;
  /**
   * Topics to subscribe from the start, as a subscriber of its own; their messages reach `onMessage` and handlers of `subscribe`.
   * @deprecated since 0.1, goes with 1.0: use `subscribe`.
   */
  topics?: string[] | undefined;
  /** Default: the global one, else in Node (20 has none) that of the package `ws`, where it is installed. */
  WebSocket?: WebSocketClass | undefined;
  /**
   * Where the tab's session id survives a reload. Default: `sessionStorage` where there is one. While the page
   * lives the id is taken out, so a duplicated tab gets a session of its own. Clients of one page are told apart by frame,
   * gateway, user, and the order in which they are made. A page that comes back from the browser's page cache, and whose session another
   * page has had meanwhile, gets a `gap` `session-expired`. `false`: nowhere.
   */
  storage?: SessionStorageLike | false | undefined;
  /** Source of jitter, 0 ≤ x < 1. Default `Math.random`. */
  random?: (() => number) | undefined;
  /**
   * An event whose handler has not settled after this long counts as handled. Default 30,000 ms, at most 1,200,000. `Infinity`: never;
   * but an edge ends a connection on which an event is unacknowledged for 20 min, and later events wait meanwhile.
   */
  handlerTimeoutMs?: number | undefined;
  /** Acknowledge after this many handled events at the latest (never more than half a window). Default 16. */
  ackEvery?: number | undefined;
  /** Acknowledge this long after the first unacknowledged one at the latest. Default 50 ms. */
  ackAfterMs?: number | undefined;
  /** Publishes, requests and subscriptions without an answer; more are rejected. Default 1,000. */
  maxPending?: number | undefined;
  /** Ids of messages remembered per topic, to drop repeats after a change of socket. Default 512. */
  topicMemory?: number | undefined;
  /** Called when the mesh asks to move, before anything is dialled; may take most of `deadlineMs`. */
  beforeMove?: BeforeMove | undefined;
}
