import type { WebSocketClass, WebSocketLike } from '../../transport/web-socket.js';
import { SseSocket } from './sse-socket.js';

/**
 * How frames travel: by WebSocket, or by server-sent events and posts, for networks that block WebSockets.
 * @example
 * const transports: Transport[] = ['websocket']; // no server-sent events
 * const strict = connect({ gateway, user, transports });
 */
export type Transport = 'websocket' | 'sse';

/** Dials by one transport that fail in a row before the same dial goes on by the next. */
const patience = 2;
/** What does not open is given up for the next after this, ms. */
const openMs = 4_000;
/** So long it stays with what has worked behind one that had not, ms. */
const staysMs = 600_000;

export interface FallbackOptions {
  /** In the order in which they are tried; at least one. */
  readonly transports: readonly Transport[];
  readonly WebSocket: WebSocketClass | undefined;
  readonly fetch?: typeof fetch | undefined;
  /** Of a clock that nobody sets. */
  now(): number;
}

/** Which transport the next dial begins with. */
export class TransportChoice {
  readonly #transports: readonly Transport[];
  /** Failures in a row of the first. */
  #failures = 0;
  #chosen = 0;
  #untilMs = 0;

  constructor(transports: readonly Transport[]) {
    this.#transports = transports;
  }

  /** Those to try in this dial, one after the other. */
  next(nowMs: number): readonly Transport[] {
    if (this.#chosen > 0 && nowMs >= this.#untilMs) this.#chosen = 0;
    if (this.#chosen > 0) return [this.#transports[this.#chosen] as Transport];
    const isPatient = this.#failures + 1 < patience;
    return isPatient ? this.#transports.slice(0, 1) : this.#transports;
  }

  opened(transport: Transport, nowMs: number): void {
    const index = this.#transports.indexOf(transport);
    if (index === 0) this.#failures = 0;
    if (index > 0) {
      // It counts from the first time: after it the better one is tried again.
      if (this.#chosen !== index) this.#untilMs = nowMs + staysMs;
      this.#chosen = index;
    }
  }

  failed(transport: Transport): void {
    if (transport === this.#transports[0]) this.#failures += 1;
    else this.#chosen = 0;
  }
}

/**
 * A class to dial with in the place of `WebSocket`: when WebSockets cannot be opened, though the gateway is reached by HTTP, the dial
 * goes on by server-sent events, with the same ticket, which no edge has seen then.
 */
export function fallingBack({ transports, WebSocket, fetch, now }: FallbackOptions): WebSocketClass {
  const choice = new TransportChoice(transports);
  const make = (transport: Transport, url: string, protocols: string[] | undefined): SocketWithHandlers =>
    transport === 'sse' || WebSocket === undefined
      ? new SseSocket(url, fetch)
      : (new WebSocket(url, protocols) as SocketWithHandlers);

  return class FallbackSocket implements SocketWithHandlers {
    onopen: SocketWithHandlers['onopen'] = null;
    onmessage: SocketWithHandlers['onmessage'] = null;
    onclose: SocketWithHandlers['onclose'] = null;
    onerror: SocketWithHandlers['onerror'] = null;
    #socket: SocketWithHandlers | undefined;
    #timer: ReturnType<typeof setTimeout> | undefined;
    #isOpen = false;
    #transport: Transport = 'websocket';
    readonly #left: Transport[];
    readonly #url: string;
    readonly #protocols: string[] | undefined;

    constructor(url: string, protocols?: string[]) {
      this.#url = url;
      this.#protocols = protocols;
      this.#left = [...choice.next(now())];
      this.#dial();
    }

    get readyState(): number {
      return this.#socket?.readyState ?? 3;
    }

    send(text: string): void {
      this.#socket?.send(text);
    }

    close(code?: number, reason?: string): void {
      if (!this.#isOpen) this.#gaveUp();
      const socket = this.#socket;
      if (!socket) return;
      socket.onopen = socket.onmessage = null;
      socket.onclose = (event) => this.onclose?.(event);
      socket.close(code, reason);
    }

    terminate(): void {
      if (!this.#isOpen) this.#gaveUp();
      const socket = this.#socket;
      this.#release();
      drop(socket);
    }

    #gaveUp(): void {
      clearTimeout(this.#timer);
      if (this.#socket) choice.failed(this.#transport);
    }

    #dial(): void {
      const transport = this.#left.shift() ?? 'websocket';
      this.#transport = transport;
      const socket = make(transport, this.#url, this.#protocols);
      this.#socket = socket;
      socket.onopen = () => {
        clearTimeout(this.#timer);
        this.#isOpen = true;
        choice.opened(transport, now());
        this.onopen?.();
      };
      socket.onmessage = (event) => this.onmessage?.(event);
      socket.onerror = (event) => this.onerror?.(event);
      socket.onclose = (event) => {
        if (this.#isOpen) return this.onclose?.(event);
        this.#gaveUp();
        this.#release();
        if (this.#left.length > 0) this.#dial();
        else this.onclose?.(event);
      };
      if (this.#left.length === 0) return;
      this.#timer = setTimeout(() => {
        this.#gaveUp();
        this.#release();
        drop(socket);
        this.#dial();
      }, openMs);
    }

    #release(): void {
      const socket = this.#socket;
      this.#socket = undefined;
      if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    }
  };
}

interface SocketWithHandlers extends WebSocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: ((event: { message?: unknown }) => void) | null;
  terminate?: () => void;
}

function drop(socket: SocketWithHandlers | undefined): void {
  if (!socket) return;
  // Of `ws`, an error that nobody takes ends the process.
  socket.onerror = () => {};
  if (socket.terminate) socket.terminate();
  else socket.close();
}
