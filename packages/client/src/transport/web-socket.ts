import { ClientError } from '../errors.js';

/**
 * The part of a WebSocket that is used; the global one and `ws` have it.
 * @example
 * const isOpen = (socket: WebSocketLike) => socket.readyState === 1;
 */
export interface WebSocketLike {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}
/**
 * A WebSocket class: the global one, or that of the package `ws`.
 * @example
 * const dial = (WebSocket: WebSocketClass) => connect({ gateway, user, WebSocket }); // of the package `ws`, for instance
 */
export type WebSocketClass = new (url: string, protocols?: string[]) => WebSocketLike;

/** The class to use. @throws ClientError `no-websocket`. */
export function socketClass(given: WebSocketClass | undefined): WebSocketClass {
  const Socket = given ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket;
  if (typeof Socket === 'function') return Socket;
  throw new ClientError('no-websocket', 'no WebSocket: install `ws`, or pass a class as WebSocket');
}
