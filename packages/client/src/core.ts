/** The core of the client: one connection that lives on while the mesh moves it. What is beside it is in index.ts. */
import { Client, type EventMap, type NoMap } from './client.js';
import type { ConnectOptions } from './options.js';

export type { Backoff } from '@evenkeel/pace';
export type { GapReason, MoveFrame, Placement } from '@evenkeel/protocol/wire';
export type { CallOptions, SendOptions } from './calls/patience.js';
export { Client, type DataOf, type EventMap, type NoMap, type ReplyOf } from './client.js';

export { LookupError } from './dial/gateway.js';
export type { DialOptions, PlacementQuery } from './dial/options.js';
export { ClientError, type ClientErrorCode, type OwnErrorCode } from './errors.js';
export type { ClientEvent, EventHandler } from './events/event.js';
export type { BeforeMove } from './move/move.js';
export type { ConnectOptions } from './options.js';
export type { ClientState } from './session/connection.js';
export type { SessionStorageLike } from './session/session-store.js';
export type { Status } from './status.js';
export type { Subscription } from './topics/subscribe.js';
export type { MessageHandler, TopicMessage } from './topics/topics.js';
export type { WebSocketClass, WebSocketLike } from './transport/web-socket.js';

/**
 * Connects, and stays connected until `close()`. Returns at once; register handlers before the next turn of the
 * event loop, so that no event finds none. `Events` maps event names to the types of their `data`, `Topics` those of topics,
 * `Requests` methods to `{ data, reply }`; interfaces do as well.
 * @throws ClientError for what can never work: `bad-option`, `bad-user-id`, `bad-name`, `topic-limit`, `no-websocket`.
 */
export const connect = <
  Events extends object = EventMap,
  Topics extends object = NoMap,
  Requests extends object = NoMap,
>(
  options: ConnectOptions,
): Client<Events, Topics, Requests> => new Client<Events, Topics, Requests>(options);
