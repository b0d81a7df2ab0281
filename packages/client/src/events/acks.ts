import type { Link } from '../transport/edge-socket.js';

/** Cumulative acknowledgements, batched by count and by time; one timer, only while something is owed. */
export class Acks {
  private readonly every: number;
  private readonly afterMs: number;
  /** The link that something is owed to; there is never more than one. */
  private owed: Link | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Events that the edge sends ahead; acknowledging later than half of it would stall it. */
  window = 64;

  constructor(every: number, afterMs: number) {
    this.every = every;
    this.afterMs = afterMs;
  }

  /** Everything up to `seq` of `link` is handled. */
  handled(link: Link, seq: number): void {
    link.handledSeq = seq;
    if (link.isGone) return;
    if (this.owed !== link) {
      this.flush();
      this.owed = link;
    }
    if (seq - link.ackedSeq >= Math.min(this.every, Math.max(1, this.window >> 1))) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), this.afterMs);
  }

  /** Sends what is owed now. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const link = this.owed;
    this.owed = undefined;
    if (!link || link.isGone || link.handledSeq <= link.ackedSeq) return;
    link.ackedSeq = link.handledSeq;
    link.send(`{"t":"ack","seq":${link.ackedSeq}}`);
  }
}
