import type { ConnectOptions } from './options.js';
import type { WebSocketClass } from './transport/web-socket.js';

/** The part of Node that is used, so that nothing of Node's types gets into the client for browsers. */
interface NodeGlobals {
  WebSocket?: WebSocketClass;
  process?: {
    getBuiltinModule?(name: 'node:module'): { createRequire(from: string): (name: string) => unknown };
  };
}

/** The options with a WebSocket class: the global one, or, where there is none (Node 20), that of the package `ws`. */
export function withWebSocket<Options extends ConnectOptions>(options: Options): Options {
  const { WebSocket, process } = globalThis as NodeGlobals;
  const found = options.WebSocket ?? WebSocket ?? webSocketOfWs(process);
  return found ? { ...options, WebSocket: found } : options;
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
