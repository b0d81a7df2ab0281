/** The client for Node: where there is no global WebSocket (Node 20) it takes that of the package `ws`. */
import type {
  MeshDefinition,
  MeshOf,
  RequestsOf,
  ServedOf,
  StreamsOf,
  TopicsOf,
} from '@evenkeel/protocol/wire';
import type { EventMap } from './client.js';
import { connect as connectWith } from './index.js';
import type { Client } from './whole/client.js';
import type { ConnectOptions } from './whole/options.js';
import { withWebSocket } from './ws.js';

export * from './index.js';

/** See `connect` of the client for browsers. @throws ClientError `no-websocket` where neither is found. */
export function connect<const Definition extends object>(
  options: ConnectOptions & { mesh: Definition & MeshDefinition },
): Client<MeshOf<Definition>>;
export function connect<
  Map extends object = EventMap,
  Topics extends object = TopicsOf<Map>,
  Requests extends object = RequestsOf<Map>,
  Served extends object = ServedOf<Map>,
  Streams extends object = StreamsOf<Map>,
>(options: ConnectOptions): Client<Map, Topics, Requests, Served, Streams>;
export function connect(options: ConnectOptions): unknown {
  return connectWith(withWebSocket(options));
}
