import type { WebSocketLike } from '@evenkeel/client';
import type { EdgeFrame } from '@evenkeel/protocol/wire';
import { soon } from '../soon.js';

/** What the edge does with a socket. */
export interface SocketOwner {
  received(text: string): void;
  /** The socket is gone, whoever ended it. */
  ended(): void;
}

/** A WebSocket whose other end is an edge in memory. What is sent arrives in order, after what runs now. */
export class MemorySocket implements WebSocketLike {
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: { message?: unknown }) => void) | null = null;
  #owner: SocketOwner | undefined;

  /** `accept`: undefined where nobody answers at this address. */
  constructor(url: string, accept: (socket: MemorySocket, url: string) => SocketOwner | undefined) {
    soon(() => {
      if (this.readyState !== 0) return;
      this.#owner = accept(this, url);
      if (!this.#owner) return this.cut();
      this.readyState = 1;
      this.onopen?.();
    });
  }

  send(text: string): void {
    if (this.readyState !== 1) return;
    soon(() => this.readyState === 3 || this.#owner?.received(text));
  }

  close(code = 1000, reason = ''): void {
    if (this.readyState >= 2) return;
    this.readyState = 2;
    soon(() => this.#end(code, reason));
  }

  /** As `ws` has it: the end without a word. */
  terminate(): void {
    this.cut();
  }

  /** By the edge. */
  write(frame: EdgeFrame): void {
    const data = JSON.stringify(frame);
    soon(() => this.readyState === 1 && this.onmessage?.({ data }));
  }

  /** By the edge, after what it has written. */
  shut(code: number, reason: string): void {
    soon(() => this.#end(code, reason));
  }

  /** The network is gone: what is under way arrives nowhere. */
  cut(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#owner?.ended();
    soon(() => this.onclose?.({ code: 1006, reason: '' }));
  }

  #end(code: number, reason: string): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#owner?.ended();
    this.onclose?.({ code, reason });
  }
}
