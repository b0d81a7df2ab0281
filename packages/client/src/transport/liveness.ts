import { monotonicNow } from '@evenkeel/pace';
import * as limits from '../limits.js';
import { isShown } from '../page.js';
import { timerMs } from '../time.js';
import type { EdgeSocket } from './edge-socket.js';

/**
 * Pings what is silent and reports what stays silent. One timer per client, re-armed once a heartbeat (`onBeat`). However late its timers
 * come: a socket that has not answered is given one grace, and then it is judged.
 */
export class Liveness {
  #heartbeatMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueAtMs = 0;
  readonly #sockets: () => (EdgeSocket | undefined)[];
  readonly #onSilent: (socket: EdgeSocket) => void;
  readonly #onBeat: () => void;

  constructor(
    heartbeatMs: number,
    sockets: () => (EdgeSocket | undefined)[],
    onSilent: (socket: EdgeSocket) => void,
    onBeat: () => void,
  ) {
    this.#heartbeatMs = heartbeatMs;
    this.#sockets = sockets;
    this.#onSilent = onSilent;
    this.#onBeat = onBeat;
  }

  /** What the edge asks for; takes effect at once. */
  set(heartbeatMs: number): void {
    if (heartbeatMs === this.#heartbeatMs) return;
    this.#heartbeatMs = heartbeatMs;
    if (this.#timer !== undefined) this.#arm(heartbeatMs);
  }

  start(): void {
    if (this.#timer === undefined) this.#arm(this.#heartbeatMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Asks now, and wants the answer soon: the page woke up, the network changed. */
  probe(): void {
    if (this.#timer === undefined) return;
    for (const socket of this.#sockets()) if (socket?.isOpen) this.#ping(socket, limits.probeMs);
    this.#arm(limits.probeMs);
  }

  #ping(socket: EdgeSocket, graceMs: number): void {
    const byMs = monotonicNow() + graceMs;
    // Asking again gives no more time.
    socket.answerByMs = socket.answerByMs === 0 ? byMs : Math.min(socket.answerByMs, byMs);
    socket.send('{"t":"ping"}');
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#dueAtMs = monotonicNow() + ms;
    const set = (inMs: number) => setTimeout(() => this.#check(), timerMs(inMs));
    const timer = set(ms);
    this.#timer = timer;
    // In a page that is hidden for long, timers that timers have set come once a minute; those that a message has set do not.
    if (isShown()) return;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      if (this.#timer !== timer) return;
      clearTimeout(timer);
      this.#timer = set(this.#dueAtMs - monotonicNow());
    };
    port2.postMessage(0);
  }

  #check(): void {
    const now = monotonicNow();
    const isLate = now - this.#dueAtMs > limits.lateMs;
    this.#onBeat();
    const answerMs = Math.min(this.#heartbeatMs, limits.answerMs);
    let next = this.#heartbeatMs;
    for (const socket of this.#sockets()) {
      if (!socket?.isOpen || socket.isGone) continue;
      const silentMs = now - socket.heard.monotonicMs;
      if (socket.answerByMs === 0) {
        const leftMs = this.#heartbeatMs - silentMs;
        if (leftMs <= 0) this.#ping(socket, answerMs);
        next = Math.min(next, leftMs > 0 ? leftMs : answerMs);
      } else if (now < socket.answerByMs) next = Math.min(next, socket.answerByMs - now);
      else if (isLate && !socket.isExcused) {
        socket.isExcused = true;
        this.#ping(socket, answerMs);
        next = Math.min(next, limits.graceMs);
      } else this.#onSilent(socket);
    }
    if (this.#timer !== undefined) this.#arm(Math.max(next, 10));
  }
}
