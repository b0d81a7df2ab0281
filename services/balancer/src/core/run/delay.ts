/** How fast moves get through and how long each takes, from the edges' reports. Pure; time is an argument. */

interface Mark {
  /** Clock of the edge. */
  readonly atMs: number;
  readonly sent: number;
  readonly settled: number;
}

/** How far back the rate looks, ms. */
const RATE_MS = 400;
/** How often an edge reports while anything changes, ms. */
const REPORT_MS = 100;
/** Reports kept; the oldest is forgotten: a delay of more than this many reports is measured as that many. */
const MAX_MARKS = 200;

/** The moves from one node to another: sent and settled, as two curves over time. */
export class MoveDelay {
  readonly #marks: Mark[] = [];
  #receivedAtMs = 0;
  #sent = 0;
  #settled = 0;

  /** Moves that an edge has reported as sent and that have not ended. */
  get inFlight(): number {
    return this.#sent - this.#settled;
  }

  /** Takes what one report adds; `atMs` by the edge's clock, `nowMs` by ours. */
  observe(sent: number, settled: number, atMs: number, nowMs: number): void {
    const last = this.#marks.at(-1);
    if (last === undefined || last.atMs < atMs - REPORT_MS) {
      // An edge reports this long after the first change: until then all was as before.
      this.#marks.push({ atMs: atMs - REPORT_MS, sent: this.#sent, settled: this.#settled });
    } else if (atMs <= last.atMs) this.#marks.pop();
    this.#sent += sent;
    this.#settled += settled;
    this.#receivedAtMs = nowMs;
    this.#marks.push({ atMs, sent: this.#sent, settled: this.#settled });
    if (this.#marks.length > MAX_MARKS) this.#marks.shift();
  }

  /** No report will come on what is under way. */
  giveUp(): void {
    this.#settled = this.#sent;
  }

  /** Moves settled a second of late; 0 when reports have stopped. */
  settledPerSecond(nowMs: number): number {
    const last = this.#marks.at(-1);
    if (last === undefined) return 0;
    const silentMs = this.#silentMs(nowMs);
    let first = last;
    for (let i = this.#marks.length - 1; i >= 0; i--) {
      first = this.#marks[i] ?? first;
      if (last.atMs - first.atMs >= RATE_MS - silentMs) break;
    }
    const overMs = last.atMs - first.atMs + silentMs;
    return overMs <= 0 ? 0 : ((last.settled - first.settled) / overMs) * 1000;
  }

  /**
   * How long ago the move was sent that is due to end next, ms: the two curves' horizontal distance. Grows while
   * nothing is reported; 0 when nothing is on its way; undefined when that has been so for a while.
   */
  delayMs(nowMs: number): number | undefined {
    const last = this.#marks.at(-1);
    if (last === undefined) return undefined;
    const silentMs = this.#silentMs(nowMs);
    if (this.inFlight <= 0) return silentMs > RATE_MS ? undefined : 0;
    let after = last;
    for (let i = this.#marks.length - 2; i >= 0; i--) {
      const before = this.#marks[i] ?? after;
      if (before.sent > this.#settled) {
        after = before;
        continue;
      }
      const share =
        after.sent === before.sent ? 1 : (this.#settled - before.sent) / (after.sent - before.sent);
      const sentAtMs = before.atMs + Math.min(1, share) * (after.atMs - before.atMs);
      return last.atMs - sentAtMs + silentMs;
    }
    return last.atMs - after.atMs + silentMs;
  }

  /** Whether the delay is more than a bound: moves have ended with the last report, and others have not. */
  get isMeasured(): boolean {
    const [before, after] = this.#marks.slice(-2);
    return after !== undefined && after.settled > (before?.settled ?? 0) && this.inFlight > 0;
  }

  #silentMs(nowMs: number): number {
    return Math.max(0, nowMs - this.#receivedAtMs - REPORT_MS);
  }
}
