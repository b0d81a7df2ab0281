import type { CommandOf, MoveProgress, NodeState, NodeStats } from '@evenkeel/protocol';
import type { Random } from './random.js';

/** Rates, in events a second, of the classes of sessions; class 0 is idle. */
export type Classes = readonly number[];

interface Departure {
  readonly command: CommandOf<'reconnect'>;
  readonly progress: MoveProgress;
  /** Picked and not yet sent away: sessions by class. */
  waiting: [cls: number, count: number][];
  credit: number;
  /** Told and not yet arrived. */
  underWay: { dueMs: number; cls: number; count: number }[];
}

/** What arrives at its target. */
export interface Arrival {
  readonly from: SimNode;
  readonly to: string;
  readonly cls: number;
  readonly count: number;
  readonly settle: (done: number, failed: number) => void;
}

/** A rest of a load that is not worth another session. */
const NEGLIGIBLE = 0.02;

/** A simulated edge: counts instead of sockets, obeying the commands of the real protocol. */
export class SimNode {
  readonly node: string;
  boot = 0;
  version: string;
  state: NodeState = 'active';
  isUp = true;
  /** Sessions by class. */
  readonly byClass: number[];
  /** Sessions by how often they have been moved. */
  readonly byMoves: number[] = [0];
  sessions = 0;
  /** Handshakes it takes a second before clients have to wait. */
  handshakesPerSecond: number;
  /** Until then its statistics say nothing new. */
  muteUntilMs = 0;
  nextStatsMs: number;
  /** How far its clock is ahead, ms. */
  aheadMs = 0;
  /** The same of the clock of its process, which takes no step. */
  #steadyAheadMs = 0;
  /** What it has reported last. */
  last: NodeStats | undefined;
  readonly #classes: Classes;
  readonly #departures = new Map<string, Departure>();
  readonly #open = new Set<Departure>();
  readonly #changed = new Set<Departure>();
  #backlog = 0;
  #seq = 0;

  constructor(
    node: string,
    version: string,
    classes: Classes,
    handshakesPerSecond: number,
    nextStatsMs: number,
  ) {
    this.node = node;
    this.version = version;
    this.#classes = classes;
    this.byClass = classes.map(() => 0);
    this.handshakesPerSecond = handshakesPerSecond;
    this.nextStatsMs = nextStatsMs;
  }

  /** The time by its own clock, which nobody promises to be right. */
  clockMs(nowMs: number): number {
    return Math.max(0, nowMs + this.aheadMs);
  }

  get isBusy(): boolean {
    return this.#open.size > 0;
  }

  get eventsPerSecond(): number {
    let sum = 0;
    for (let c = 1; c < this.byClass.length; c++) sum += (this.byClass[c] ?? 0) * (this.#classes[c] ?? 0);
    return sum;
  }

  add(count: number, cls: number, moves: number): void {
    this.sessions += count;
    this.byClass[cls] = (this.byClass[cls] ?? 0) + count;
    while (this.byMoves.length <= moves) this.byMoves.push(0);
    this.byMoves[moves] = (this.byMoves[moves] ?? 0) + count;
  }

  /** Takes `count` sessions out, evenly over how often they were moved; returns these by number of moves. */
  remove(count: number, cls: number): number[] {
    let left = count;
    let of = this.sessions;
    const out = this.byMoves.map((have) => {
      const taken = Math.min(have, of === 0 ? 0 : Math.round((have * left) / of));
      of -= have;
      left -= taken;
      return taken;
    });
    for (let m = 0; left > 0 && m < out.length; m++) {
      const more = Math.min(left, (this.byMoves[m] ?? 0) - (out[m] ?? 0));
      out[m] = (out[m] ?? 0) + more;
      left -= more;
    }
    out.forEach((n, m) => {
      this.byMoves[m] = (this.byMoves[m] ?? 0) - n;
    });
    this.sessions -= count - left;
    this.byClass[cls] = (this.byClass[cls] ?? 0) - (count - left);
    return out;
  }

  /** The process dies: what it was asked to do is forgotten. */
  crash(): void {
    this.isUp = false;
    this.#departures.clear();
    this.#open.clear();
    this.#changed.clear();
    this.#backlog = 0;
  }

  restart(version: string): void {
    this.isUp = true;
    this.#steadyAheadMs = this.aheadMs;
    this.boot += 1;
    this.#seq = 0;
    this.version = version;
    this.state = 'active';
  }

  reconnect(command: CommandOf<'reconnect'>): void {
    const known = this.#departures.get(command.move);
    if (known !== undefined) {
      this.#changed.add(known);
      return;
    }
    const waiting = this.#pick(command);
    const picked = waiting.reduce((sum, [, n]) => sum + n, 0);
    const asked = Math.max(picked, command.count ?? picked);
    const progress: MoveProgress = {
      move: command.move,
      to: command.to.node,
      asked,
      sent: 0,
      done: 0,
      failed: 0,
      timedOut: 0,
      refused: asked - picked,
      isFinal: picked === 0,
    };
    const departure: Departure = { command, progress, waiting, credit: 0, underWay: [] };
    this.#departures.set(command.move, departure);
    if (picked > 0) this.#open.add(departure);
    this.#changed.add(departure);
  }

  cancel(move: string): void {
    const departure = this.#departures.get(move);
    if (departure === undefined) return;
    for (const [, n] of departure.waiting) departure.progress.refused += n;
    departure.waiting = [];
    this.#changed.add(departure);
  }

  /** Sends what is due and returns what arrives now. */
  step(nowMs: number, elapsedMs: number, latencyMs: (to: string, count: number) => number): Arrival[] {
    this.#backlog = Math.max(0, this.#backlog - (this.handshakesPerSecond * elapsedMs) / 1000);
    if (this.#open.size === 0) return [];
    const arrivals: Arrival[] = [];
    for (const departure of this.#open) {
      const { command, progress, underWay } = departure;
      departure.credit += ((command.ratePerSecond ?? 200) * elapsedMs) / 1000;
      for (
        let [next] = departure.waiting;
        next !== undefined && departure.credit >= 1;
        [next] = departure.waiting
      ) {
        const count = Math.min(next[1], Math.floor(departure.credit));
        departure.credit -= count;
        next[1] -= count;
        if (next[1] === 0) departure.waiting.shift();
        progress.sent += count;
        underWay.push({ dueMs: nowMs + latencyMs(command.to.node, count), cls: next[0], count });
        this.#changed.add(departure);
      }
      const due = underWay.filter((flight) => flight.dueMs <= nowMs);
      if (due.length > 0) departure.underWay = underWay.filter((flight) => flight.dueMs > nowMs);
      for (const flight of due) {
        arrivals.push({
          from: this,
          to: command.to.node,
          cls: flight.cls,
          count: flight.count,
          settle: (done, failed) => {
            progress.done += done;
            progress.failed += failed;
            this.#changed.add(departure);
          },
        });
      }
      if (departure.waiting.length === 0 && departure.underWay.length === 0) this.#open.delete(departure);
    }
    return arrivals;
  }

  /** A client knocks; returns how long it waits. */
  knock(count: number): number {
    this.#backlog += count;
    return (this.#backlog / this.handshakesPerSecond) * 1000;
  }

  /** Progress that has changed since the last call. */
  takeReports(): MoveProgress[] {
    if (this.#changed.size === 0) return [];
    const out: MoveProgress[] = [];
    for (const departure of this.#changed) {
      departure.progress.isFinal = !this.#open.has(departure);
      out.push({ ...departure.progress });
      if (departure.progress.isFinal && this.#departures.size > 1000) {
        this.#departures.delete(departure.progress.move);
      }
    }
    this.#changed.clear();
    return out;
  }

  stats(nowMs: number, random: Random): NodeStats {
    this.#seq += 1;
    let pending = 0;
    for (const d of this.#open)
      pending += d.progress.asked - d.progress.refused - d.progress.done - d.progress.failed;
    const waitMs = (this.#backlog / this.handshakesPerSecond) * 1000;
    const events = random.poisson(this.eventsPerSecond);
    this.last = {
      v: 1,
      node: this.node,
      url: `ws://${this.node}`,
      boot: `${this.node}-${this.boot}`,
      seq: this.#seq,
      at: this.clockMs(nowMs),
      steadyAt: Math.max(0, nowMs + this.#steadyAheadMs),
      state: this.state,
      version: this.version,
      weight: 1,
      capacity: 1_000_000,
      connections: this.sessions,
      sessions: this.sessions,
      detached: 0,
      unacked: 0,
      deliveredPerSecond: events,
      receivedPerSecond: 0,
      bytesPerSecond: events * 200,
      handshakesPerSecond: 0,
      handshakeP99Ms: 20 + 20 * random.next() + waitMs,
      loopLagP99Ms: 2 + 4 * random.next() + waitMs / 20,
      loopUtilization: 0.1,
      cpu: 0.1 + events / 50_000,
      rssBytes: 1,
      moves: { pending, done: 0, failed: 0 },
    };
    return this.last;
  }

  /** As the edge does: idle first; by load the busiest that still fit. */
  #pick(command: CommandOf<'reconnect'>): [number, number][] {
    const free = [...this.byClass];
    for (const departure of this.#open) {
      for (const [cls, n] of departure.waiting) free[cls] = (free[cls] ?? 0) - n;
      for (const flight of departure.underWay) free[flight.cls] = (free[flight.cls] ?? 0) - flight.count;
    }
    let limit = command.count ?? Number.POSITIVE_INFINITY;
    const out: [number, number][] = [];
    const take = (cls: number, most: number) => {
      const count = Math.min(Math.max(0, free[cls] ?? 0), limit, most);
      if (count <= 0) return;
      limit -= count;
      out.push([cls, count]);
    };
    if (command.load === undefined) {
      for (let cls = 0; cls < free.length; cls++) take(cls, Number.POSITIVE_INFINITY);
      return out;
    }
    let load = command.load;
    for (let cls = free.length - 1; cls >= 1 && load > command.load * NEGLIGIBLE; cls--) {
      const rate = this.#classes[cls] ?? 0;
      const before = limit;
      take(cls, Math.floor(load / rate));
      load -= (before - limit) * rate;
    }
    return out;
  }
}
