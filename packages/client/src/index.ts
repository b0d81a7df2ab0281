/** Client SDK of Evenkeel for browsers and Node: one connection that lives on while the mesh moves it. */
import { Client } from './client.js';
import type { ConnectOptions } from './options.js';

export type { Backoff } from '@evenkeel/pace';
export type { GapReason, MoveFrame, Placement } from '@evenkeel/protocol/wire';
export type { CallOptions } from './calls/patience.js';
export { Client, type EventMap } from './client.js';

export { LookupError } from './dial/gateway.js';
export type { DialOptions, PlacementQuery } from './dial/options.js';
export { ClientError } from './errors.js';
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
 * event loop, so that no event finds none. `Events` maps event names to the types of their `data`.
 * @throws ClientError `no-websocket` where there is no WebSocket class.
 */
export const connect = <Events extends EventMapOf = EventMapOf>(options: ConnectOptions): Client<Events> =>
  new Client<Events>(options);

type EventMapOf = Record<string, unknown>;
