/** The core for Node: where there is no global WebSocket (Node 20) it takes that of the package `ws`. */
import type { Client, EventMap, NoMap } from './client.js';
import { connect as connectWith } from './core.js';
import type { ConnectOptions } from './options.js';
import { withWebSocket } from './ws.js';

export * from './core.js';

/** See `connect` of the core for browsers. @throws ClientError `no-websocket` where neither is found. */
export const connect = <
  Events extends object = EventMap,
  Topics extends object = NoMap,
  Requests extends object = NoMap,
>(
  options: ConnectOptions,
): Client<Events, Topics, Requests> => connectWith(withWebSocket(options));
