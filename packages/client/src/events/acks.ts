import type { EdgeSocket } from '../transport/edge-socket.js';

/** Cumulative acknowledgements, batched by count and by time; one timer, only while something is owed. */
export class Acks {
  readonly #every: number;
  readonly #afterMs: number;
  /** The socket that something is owed to; there is never more than one. */
  #owed: EdgeSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Events that the edge sends ahead; acknowledging later than half of it would stall it. */
  window = 64;

  constructor(every: number, afterMs: number) {
    this.#every = every;
    this.#afterMs = afterMs;
  }

  /** Everything up to `seq` of `socket` is handled. */
  handled(socket: EdgeSocket, seq: number): void {
    socket.handledSeq = seq;
    if (socket.isGone) return;
    if (this.#owed !== socket) {
      this.flushNow();
      this.#owed = socket;
    }
    if (seq - socket.ackedSeq >= Math.min(this.#every, Math.max(1, this.window >> 1))) this.flushNow();
    else this.#timer ??= setTimeout(() => this.flushNow(), this.#afterMs);
  }

  /** Sends what is owed now. */
  flushNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const socket = this.#owed;
    this.#owed = undefined;
    if (!socket || socket.isGone || socket.handledSeq <= socket.ackedSeq) return;
    socket.ackedSeq = socket.handledSeq;
    socket.send(`{"t":"ack","seq":${socket.ackedSeq}}`);
  }
}
