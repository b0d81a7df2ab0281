import { limits } from '../options.js';
import type { Link } from './edge-socket.js';

/** A timer that fires this much late tells of a busy or sleeping machine, not of a silent edge. */
const lateMs = 1_000;

/** Pings what is silent and reports what stays silent. One timer per client, re-armed once a heartbeat. */
export class Liveness {
  private heartbeatMs: number;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private dueAt = 0;
  private readonly links: () => (Link | undefined)[];
  private readonly onSilent: (link: Link) => void;

  constructor(heartbeatMs: number, links: () => (Link | undefined)[], onSilent: (link: Link) => void) {
    this.heartbeatMs = heartbeatMs;
    this.links = links;
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
    for (const link of this.links()) if (link?.isOpen) this.ping(link, limits.probeMs);
    this.arm(limits.probeMs);
  }

  private ping(link: Link, graceMs: number): void {
    link.answerBy = Date.now() + graceMs;
    link.send('{"t":"ping"}');
  }

  private arm(ms: number): void {
    clearTimeout(this.timer);
    this.dueAt = Date.now() + ms;
    this.timer = setTimeout(() => this.check(), ms);
  }

  private check(): void {
    const now = Date.now();
    if (now - this.dueAt > lateMs) {
      // What has come meanwhile is not read yet: read it, and ask again, before judging.
      for (const link of this.links()) if (link && link.answerBy !== 0) this.ping(link, limits.probeMs);
      this.arm(lateMs);
      return;
    }
    let next = this.heartbeatMs;
    for (const link of this.links()) {
      if (!link?.isOpen || link.isGone) continue;
      const silentMs = now - link.heardAt;
      if (link.answerBy === 0 && silentMs >= this.heartbeatMs) this.ping(link, this.heartbeatMs);
      else if (link.answerBy === 0) next = Math.min(next, this.heartbeatMs - silentMs);
      else if (now >= link.answerBy) this.onSilent(link);
      else next = Math.min(next, link.answerBy - now);
    }
    if (this.timer !== undefined) this.arm(Math.max(next, 10));
  }
}
