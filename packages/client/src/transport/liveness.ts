import { limits } from '../limits.js';
import type { EdgeSocket } from './edge-socket.js';

/** A timer that fires this much late tells of a busy or sleeping machine, not of a silent edge. */
const lateMs = 1_000;

/** Pings what is silent and reports what stays silent. One timer per client, re-armed once a heartbeat. */
export class Liveness {
  private heartbeatMs: number;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private dueAtMs = 0;
  private readonly sockets: () => (EdgeSocket | undefined)[];
  private readonly onSilent: (socket: EdgeSocket) => void;

  constructor(
    heartbeatMs: number,
    sockets: () => (EdgeSocket | undefined)[],
    onSilent: (socket: EdgeSocket) => void,
  ) {
    this.heartbeatMs = heartbeatMs;
    this.sockets = sockets;
    this.onSilent = onSilent;
  }

  /** What the edge asks for; takes effect at once. */
  set(heartbeatMs: number): void {
    if (heartbeatMs === this.heartbeatMs) return;
    this.heartbeatMs = heartbeatMs;
    if (this.timer !== undefined) this.arm(heartbeatMs);
  }

  start(): void {
    if (this.timer === undefined) this.arm(this.heartbeatMs);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Asks now, and wants the answer soon: the page woke up, the network changed. */
  probe(): void {
    if (this.timer === undefined) return;
    for (const socket of this.sockets()) if (socket?.isOpen) this.ping(socket, limits.probeMs);
    this.arm(limits.probeMs);
  }

  private ping(socket: EdgeSocket, graceMs: number): void {
    socket.answerByMs = Date.now() + graceMs;
    socket.send('{"t":"ping"}');
  }

  private arm(ms: number): void {
    clearTimeout(this.timer);
    this.dueAtMs = Date.now() + ms;
    this.timer = setTimeout(() => this.check(), ms);
  }

  private check(): void {
    const now = Date.now();
    if (now - this.dueAtMs > lateMs) {
      // What has come meanwhile is not read yet: read it, and ask again, before judging.
      for (const socket of this.sockets())
        if (socket && socket.answerByMs !== 0) this.ping(socket, limits.probeMs);
      this.arm(lateMs);
      return;
    }
    let next = this.heartbeatMs;
    for (const socket of this.sockets()) {
      if (!socket?.isOpen || socket.isGone) continue;
      const silentMs = now - socket.heardAtMs;
      if (socket.answerByMs === 0 && silentMs >= this.heartbeatMs) this.ping(socket, this.heartbeatMs);
      else if (socket.answerByMs === 0) next = Math.min(next, this.heartbeatMs - silentMs);
      else if (now >= socket.answerByMs) this.onSilent(socket);
      else next = Math.min(next, socket.answerByMs - now);
    }
    if (this.timer !== undefined) this.arm(Math.max(next, 10));
  }
}
