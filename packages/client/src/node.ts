/** The client for Node: where there is no global WebSocket (Node 20) it takes that of the package `ws`. */
import type { Client, EventMap, NoMap } from './client.js';
import { connect as connectWith } from './index.js';
import type { ConnectOptions } from './options.js';
import type { WebSocketClass } from './transport/web-socket.js';

export * from './index.js';

/** The part of Node that is used, so that nothing of Node's types gets into the client for browsers. */
interface NodeGlobals {
  WebSocket?: WebSocketClass;
  process?: {
    getBuiltinModule?(name: 'node:module'): { createRequire(from: string): (name: string) => unknown };
  };
}

/** See `connect` of the client for browsers. @throws ClientError `no-websocket` where neither is found. */
export function connect<
  Events extends object = EventMap,
  Topics extends object = NoMap,
  Requests extends object = NoMap,
>(options: ConnectOptions): Client<Events, Topics, Requests> {
  const { WebSocket, process } = globalThis as NodeGlobals;
  const found = options.WebSocket ?? WebSocket ?? webSocketOfWs(process);
  return connectWith(found ? { ...options, WebSocket: found } : options);
}

/** Undefined where `ws` is not installed beside this package. */
function webSocketOfWs(process: NodeGlobals['process']): WebSocketClass | undefined {
  try {
    return process?.getBuiltinModule?.('node:module').createRequire(import.meta.url)('ws') as WebSocketClass;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
