import { type EdgeFrame, subprotocol } from '@evenkeel/protocol/wire';
import type { WebSocketClass, WebSocketLike } from '../options.js';

/** Who is told what happens on a link. Nothing is told after `close` or `drop`. */
export interface LinkOwner {
  opened(link: Link): void;
  received(link: Link, frame: EdgeFrame): void;
  ended(link: Link, code: number, reason: string): void;
}

interface Handlers {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: (() => void) | null;
  terminate?: () => void;
}
const nothing = (): void => {};

/** One WebSocket to one edge, with what is counted per connection. */
export class Link {
  /** Later links have higher ones. */
  readonly generation: number;
  isOpen = false;
  isWelcomed = false;
  /** The edge has sent `moved`: only acks are accepted here. */
  isMoved = false;
  isGone = false;
  heardAt = 0;
  /** A ping is unanswered: something must come by then, ms; 0: none is. */
  answerBy = 0;
  /** `subscribe`, `unsubscribe`, `publish` and `request` frames sent here. */
  requests = 0;
  handledSeq = 0;
  ackedSeq = 0;
  private readonly owner: LinkOwner;
  private readonly socket: (WebSocketLike & Handlers) | undefined;

  constructor(Socket: WebSocketClass, url: string, ticket: string, generation: number, owner: LinkOwner) {
    this.generation = generation;
    this.owner = owner;
    const address = `${url}${url.includes('?') ? '&' : '?'}ticket=${encodeURIComponent(ticket)}`;
    let socket: WebSocketLike & Handlers;
    try {
      socket = new Socket(address, [subprotocol]) as WebSocketLike & Handlers;
    } catch (error) {
      // An address that cannot be dialled: for the owner the same as one that nobody answers at.
      queueMicrotask(() => {
        if (this.isGone) return;
        this.isGone = true;
        owner.ended(this, 1006, String(error));
      });
      return;
    }
    this.socket = socket;
    socket.onopen = () => {
      this.isOpen = true;
      this.heardAt = Date.now();
      owner.opened(this);
    };
    socket.onmessage = ({ data }) => this.read(data);
    socket.onclose = ({ code, reason }) => {
      this.detach();
      owner.ended(this, code, reason);
    };
    socket.onerror = nothing;
  }

  /** Sends one frame; nothing when the socket is not open (the owner learns of that by `ended`). */
  send(text: string): void {
    if (this.isOpen && !this.isGone) this.socket?.send(text);
  }

  /** The orderly end. Calls `done` when the socket has closed. */
  close(code: number, done: () => void = nothing): void {
    const { socket } = this;
    if (this.isGone || !socket) {
      this.isGone = true;
      done();
      return;
    }
    this.detach();
    socket.onclose = done;
    socket.close(code);
  }

  /** The end of a socket that does not answer. */
  drop(): void {
    if (this.isGone) return;
    this.detach();
    if (this.socket?.terminate) this.socket.terminate();
    else this.socket?.close();
  }

  private read(text: unknown): void {
    this.heardAt = Date.now();
    this.answerBy = 0;
    let frame: EdgeFrame;
    try {
      frame = JSON.parse(text as string);
    } catch {
      // What this frame carried is lost with it: only a new connection makes that good.
      this.drop();
      this.owner.ended(this, 1006, 'not JSON');
      return;
    }
    this.owner.received(this, frame);
  }

  private detach(): void {
    this.isGone = true;
    if (this.socket) this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
  }
}
