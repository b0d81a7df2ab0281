import { monotonicNow, type TokenBucket } from '@evenkeel/pace';
import { type EdgeFrame, subprotocol } from '@evenkeel/protocol/wire';
import { thisMoment } from '../time.js';
import { readFrame } from './frame.js';
import type { Source } from './source.js';
import type { WebSocketClass, WebSocketLike } from './web-socket.js';

/** Who is told what happens on a socket. Nothing is told after `close` or `drop`. */
export interface EdgeSocketOwner {
  opened(socket: EdgeSocket): void;
  received(socket: EdgeSocket, frame: EdgeFrame): void;
  ended(socket: EdgeSocket, code: number, reason: string): void;
}

interface Handlers {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: ((event: { message?: unknown }) => void) | null;
  terminate?: () => void;
}
const nothing = (): void => {};

/** One WebSocket to one edge, with what is counted per connection. */
export class EdgeSocket implements Source {
  isOpen = false;
  isWelcomed = false;
  /** The edge has sent `moved`: only acks are accepted here. */
  isMoved = false;
  isGone = false;
  heard = thisMoment();
  /** A ping is unanswered: something must come by then; 0: none is. */
  answerByMs = 0;
  /** It had not answered when a timer came late: what has come meanwhile is read before it is judged, once. */
  isExcused = false;
  /** `subscribe`, `unsubscribe`, `publish` and `request` frames sent here, and how fast they may be. */
  calls = 0;
  pace: TokenBucket | undefined;
  receivedSeq = 0;
  #endedAtMs = 0;
  handledSeq = 0;
  ackedSeq = 0;
  /** What `welcome` called this connection. */
  connection: string | undefined;
  /** What `hello` has named as the last connection before it. */
  after: Source | undefined;
  readonly #owner: EdgeSocketOwner;
  #webSocket: (WebSocketLike & Handlers) | undefined;

  constructor(WebSocket: WebSocketClass, url: string, ticket: string, owner: EdgeSocketOwner) {
    this.#owner = owner;
    const address = `${url}${url.includes('?') ? '&' : '?'}ticket=${encodeURIComponent(ticket)}`;
    let webSocket: WebSocketLike & Handlers;
    try {
      webSocket = new WebSocket(address, [subprotocol]) as WebSocketLike & Handlers;
    } catch (error) {
      // An address that cannot be dialled: for the owner the same as one that nobody answers at.
      queueMicrotask(() => {
        if (this.isGone) return;
        this.isGone = true;
        owner.ended(this, 1006, String(error));
      });
      return;
    }
    this.#webSocket = webSocket;
    webSocket.onopen = () => {
      this.isOpen = true;
      this.heard = thisMoment();
      owner.opened(this);
    };
    webSocket.onmessage = ({ data }) => this.#read(data);
    let fault = '';
    webSocket.onclose = ({ code, reason }) => {
      this.#detach();
      owner.ended(this, code, code === 1006 ? reason || fault : reason);
    };
    // In Node it says why; browsers tell nothing.
    webSocket.onerror = ({ message }) => {
      if (typeof message === 'string') fault = message;
    };
  }

  get aliveAtMs(): number {
    return this.#endedAtMs || this.heard.monotonicMs;
  }

  /** Sends one frame; nothing when the socket is not open (the owner learns of that by `ended`). */
  send(text: string): void {
    if (this.isOpen && !this.isGone) this.#webSocket?.send(text);
  }

  /** The orderly end. Calls `done` when the socket has closed. */
  close(code: number, done: () => void = nothing): void {
    const webSocket = this.#webSocket;
    if (this.isGone || !webSocket) {
      this.isGone = true;
      done();
      return;
    }
    this.#detach();
    webSocket.onclose = done;
    webSocket.close(code);
  }

  /** The end of a socket that does not answer. */
  drop(): void {
    if (this.isGone) return;
    const webSocket = this.#webSocket;
    this.#detach();
    if (webSocket?.terminate) webSocket.terminate();
    else webSocket?.close();
  }

  #read(text: unknown): void {
    this.heard = thisMoment();
    this.answerByMs = 0;
    this.isExcused = false;
    const frame = readFrame(text);
    if (frame === undefined) {
      // What this message carried is lost with it: only a new connection makes that good.
      this.drop();
      this.#owner.ended(this, 1006, 'not a frame');
    } else this.#owner.received(this, frame);
  }

  #detach(): void {
    this.isGone = true;
    this.#endedAtMs = monotonicNow();
    if (this.#webSocket) this.#webSocket.onopen = this.#webSocket.onmessage = this.#webSocket.onclose = null;
    // What came on it is remembered for longer.
    this.#webSocket = undefined;
  }
}
