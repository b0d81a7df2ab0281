import type { NodeStats } from '@evenkeel/protocol';
import { Balancer, type BalancerOptions, type Command } from '../src/core/balancer.js';
import type { Plan } from '../src/core/plan/plan.js';
import type { SavedState } from '../src/core/state.js';
import { type Classes, SimNode } from './node.js';
import { Random } from './random.js';

export interface SimOptions {
  readonly seed: number;
  readonly stepMs: number;
  /** Sessions that come, and that go, per second. */
  readonly churnPerSecond: number;
  /** Share of moves that fail. */
  readonly failureRatio: number;
  readonly classes: Classes;
  readonly balancer: Partial<BalancerOptions>;
}

/** Broken expectations of a run; each is a sentence. */
class Violations {
  readonly list: string[] = [];

  add(text: string): void {
    if (this.list.length < 20) this.list.push(text);
  }
}

const LATENCY_MS = 120;
const STATS_MS = 1000;
/** A crash is known only when reports have stayed away this long. */
const UNNOTICED_MS = 4000;
/** A successor waits this long for the nodes. */
const HEARD_WITHIN_MS = 4000;
/** Nobody leads for that long, again and again, nobody may be heard for a minute, and what was saved may be half a minute old. */
const LATE_MS = 200_000;
/** A node that an operator wants empty and that never comes: its drain only ends. */
const ABSENT = 'absent';

/**
 * A cluster of simulated edges under the real balancer. Time goes in steps; after each the invariants are checked:
 * sessions are conserved, nobody is moved onto a node that drains or has died, no node both gives and takes in a
 * plan, no pair of nodes swaps sessions back and forth, and a drain ends at its time, whoever leads by then.
 */
export class SimCluster {
  readonly random: Random;
  readonly nodes = new Map<string, SimNode>();
  readonly violations = new Violations();
  /** Who leads, or did last. */
  balancer: Balancer;
  readonly plans: Plan[] = [];
  nowMs = 100_000_000;
  steps = 0;
  /** Moves that were done. */
  moves = 0;
  /** Longest time that deciding took, ms of the real clock. */
  planMs = 0;
  /** Sessions that should exist. */
  expected = 0;
  /** Until then nothing that nodes report arrives. */
  silentUntilMs = 0;
  /** Until then this part of what nodes report is lost. */
  loss = { untilMs: 0, ratio: 0 };
  /** Time of the last change of members, a silence noticed or ended included; what was right before may be wrong after. */
  changedAtMs = 0;
  readonly #options: SimOptions;
  /** Sessions whose node has died and that are about to be placed again. */
  #homeless = 0;
  readonly #homelessByClass: number[];
  /** Nodes that live and that the balancer misses. */
  readonly #silent = new Set<string>();
  #lastPairs = new Map<string, { atMs: number; amount: number }>();
  readonly #clock: () => number;
  /** How far the clock of who leads is ahead, ms. */
  #leaderAheadMs = 0;
  #saved: SavedState | undefined;
  #successor: { balancer: Balancer; aheadMs: number; untilMs: number } | undefined;
  #planIds = 0;
  #drainEndsMs: number | undefined;

  constructor(options: SimOptions, clock: () => number) {
    this.#options = options;
    this.#clock = clock;
    this.random = new Random(options.seed);
    this.#homelessByClass = options.classes.map(() => 0);
    this.balancer = this.#newBalancer();
    this.balancer.lead(undefined, this.nowMs);
  }

  #newBalancer(): Balancer {
    return new Balancer(
      {
        send: (node, command, onUnrouted) => this.#deliver(node, command, onUnrouted),
        save: (state) => {
          this.#saved = state;
          return undefined;
        },
        log: (event) => {
          if (event === 'plan started') this.#onPlan();
        },
        newPlanId: () => `p${++this.#planIds}`,
      },
      this.#options.balancer,
    );
  }

  get #leaderMs(): number {
    return this.nowMs + this.#leaderAheadMs;
  }

  /** An operator wants a node empty within this time. */
  drainAbsent(withinMs: number): void {
    if (this.#drainEndsMs !== undefined) return;
    this.#drainEndsMs = this.nowMs + withinMs;
    const endsBy = this.#leaderMs + withinMs;
    this.balancer.drains.set(ABSENT, { node: ABSENT, boot: 'b', by: 'ann', endsBy });
    void this.balancer.save();
  }

  /** The leader dies. Another balancer, whose clock is so far ahead of the true time, takes over once it has heard the nodes. */
  succeed(aheadMs: number): void {
    this.#successor = { balancer: this.#newBalancer(), aheadMs, untilMs: this.nowMs + HEARD_WITHIN_MS };
  }

  addNode(name: string, version = '1', handshakesPerSecond = 3000): SimNode {
    const firstStatsMs = this.nowMs + this.random.below(STATS_MS);
    const node = new SimNode(name, version, this.#options.classes, handshakesPerSecond, firstStatsMs);
    this.nodes.set(name, node);
    this.changedAtMs = this.nowMs;
    return node;
  }

  /** Puts sessions on a node before the run. */
  seat(node: SimNode, count: number, cls = 0): void {
    node.add(count, cls, 0);
    this.expected += count;
  }

  /** The process is killed: its clients come back through the gateway. */
  crash(node: SimNode): void {
    node.byClass.forEach((count, cls) => {
      if (count === 0) return;
      node.remove(count, cls);
      this.#homeless += count;
      this.#homelessByClass[cls] = (this.#homelessByClass[cls] ?? 0) + count;
    });
    node.crash();
    this.changedAtMs = this.nowMs;
  }

  remove(node: SimNode): void {
    this.crash(node);
    this.nodes.delete(node.node);
  }

  restart(node: SimNode, version: string): void {
    node.restart(version);
    node.nextStatsMs = this.nowMs;
    this.changedAtMs = this.nowMs;
  }

  /** Somebody else reports in the node's name: another process, the same one far ahead, or an old report once more. */
  forge(node: SimNode): void {
    const stats = node.last;
    if (stats === undefined || this.nowMs < this.silentUntilMs) return;
    const foreign = [
      { ...stats, boot: 'foreign', sessions: 0, connections: 0, at: stats.at + 3_600_000 },
      { ...stats, seq: stats.seq + 1_000_000, sessions: 9 * stats.sessions },
      { ...stats, seq: Math.max(1, stats.seq - 3), sessions: 0, state: 'active' as const },
      { ...stats, boot: `${node.node}-${node.boot - 1}`, seq: stats.seq + 1, at: stats.at - 5_000 },
    ];
    this.#observe(this.random.pick(foreign));
  }

  drain(node: SimNode): void {
    node.state = 'draining';
    node.nextStatsMs = this.nowMs;
    this.changedAtMs = this.nowMs;
  }

  get isBusy(): boolean {
    if (this.balancer.run !== undefined || this.#homeless > 0) return true;
    for (const node of this.nodes.values()) if (node.isBusy) return true;
    return false;
  }

  active(): SimNode[] {
    return [...this.nodes.values()].filter((n) => n.isUp && n.state === 'active');
  }

  maxOverMean(measure: (n: SimNode) => number): number {
    const active = this.active();
    let most = 0;
    let sum = 0;
    for (const n of active) {
      most = Math.max(most, measure(n));
      sum += measure(n);
    }
    return sum === 0 ? 1 : most / (sum / active.length);
  }

  step(): void {
    const { stepMs } = this.#options;
    this.nowMs += stepMs;
    this.steps += 1;
    const latency = (to: string, count: number) => {
      const target = this.nodes.get(to);
      return LATENCY_MS + (target?.isUp ? target.knock(count) : 0);
    };
    for (const node of this.nodes.values()) {
      if (!node.isUp) continue;
      for (const arrival of node.step(this.nowMs, stepMs, latency)) {
        const target = this.nodes.get(arrival.to);
        const canTake = target?.isUp === true && target.state !== 'draining';
        const failed = canTake
          ? this.random.binomial(arrival.count, this.#options.failureRatio)
          : arrival.count;
        const done = arrival.count - failed;
        if (target !== undefined && done > 0) {
          node.remove(done, arrival.cls).forEach((n, m) => {
            if (n > 0) target.add(n, arrival.cls, m + 1);
          });
          this.moves += done;
        }
        arrival.settle(done, failed);
      }
    }
    this.#churn(stepMs);
    this.#place();
    this.#report();
    this.#noteSilence();
    this.#takeOver();
    if (this.#successor === undefined) this.#tick();
    this.#check();
  }

  #tick(): void {
    const before = this.#clock();
    const hadRun = this.balancer.run !== undefined;
    this.balancer.tick(this.#leaderMs);
    if (!hadRun && this.balancer.run !== undefined)
      this.planMs = Math.max(this.planMs, this.#clock() - before);
  }

  #takeOver(): void {
    if (this.#successor === undefined) return;
    const { balancer, aheadMs, untilMs } = this.#successor;
    if (!balancer.isWarm(this.nowMs + aheadMs) && this.nowMs < untilMs) return;
    this.#successor = undefined;
    this.#leaderAheadMs = aheadMs;
    this.balancer = balancer;
    this.balancer.lead(this.#saved, this.#leaderMs);
    this.changedAtMs = this.nowMs;
  }

  #observe(stats: NodeStats): void {
    if (this.#successor === undefined) this.balancer.observe(stats, this.#leaderMs);
    else this.#successor.balancer.observe(stats, this.nowMs + this.#successor.aheadMs);
  }

  #report(): void {
    for (const node of this.nodes.values()) {
      if (!node.isUp) continue;
      const moves = node.takeReports();
      if (moves.length > 0 && !this.#isLost()) {
        const boot = `${node.node}-${node.boot}`;
        const at = node.clockMs(this.nowMs);
        if (this.#successor === undefined)
          this.balancer.report({ v: 1, node: node.node, boot, at, moves }, this.#leaderMs);
      }
      if (node.nextStatsMs > this.nowMs) continue;
      node.nextStatsMs = Math.max(node.nextStatsMs + STATS_MS, this.nowMs + 1);
      if (node.muteUntilMs > this.nowMs) continue;
      const stats = node.stats(this.nowMs, this.random);
      if (!this.#isLost()) this.#observe(stats);
    }
  }

  #isLost(): boolean {
    if (this.nowMs < this.silentUntilMs) return true;
    return this.nowMs < this.loss.untilMs && this.random.next() < this.loss.ratio;
  }

  #noteSilence(): void {
    for (const node of this.nodes.values()) {
      const phase = this.balancer.view.get(node.node, this.#leaderMs)?.phase;
      const isSilent = node.isUp && (phase === 'suspect' || phase === 'gone');
      if (isSilent === this.#silent.has(node.node)) continue;
      if (isSilent) this.#silent.add(node.node);
      else this.#silent.delete(node.node);
      this.changedAtMs = this.nowMs;
    }
  }

  #deliver(name: string, command: Command, onUnrouted: () => void): void {
    const node = this.nodes.get(name);
    if (node === undefined || !node.isUp) {
      onUnrouted();
      return;
    }
    if (command.command === 'cancel') node.cancel(command.move);
    // One with no sessions only keeps the edge waiting.
    if (command.command !== 'reconnect' || command.sessions?.length === 0) return;
    const phase = this.balancer.view.get(command.to.node, this.#leaderMs)?.phase;
    if (phase !== 'active' && phase !== 'joining') {
      this.violations.add(`${command.move} moves onto ${command.to.node}, which is ${phase ?? 'unknown'}`);
    }
    node.reconnect(command);
  }

  #onPlan(): void {
    const plan = this.balancer.run?.plan;
    if (plan === undefined) return;
    this.plans.push(plan);
    const givers = new Set(plan.steps.map((s) => s.from));
    const both = plan.steps.find((s) => givers.has(s.to));
    if (both !== undefined) this.violations.add(`${both.to} gives and takes in plan ${plan.id}`);
    for (const s of plan.steps) {
      const amount = s.load ?? s.count;
      const back = this.#lastPairs.get(`${s.to} ${s.from}`);
      if (
        back === undefined ||
        back.atMs <= this.changedAtMs + UNNOTICED_MS ||
        this.nowMs - back.atMs >= 60_000
      )
        continue;
      // A correction is not an oscillation: that would send most of it back.
      if (amount > back.amount * 0.2) {
        this.violations.add(
          `${s.to} and ${s.from} swap sessions within a minute, with no change of the cluster`,
        );
      }
    }
    if (this.#lastPairs.size > 100_000) this.#lastPairs = new Map();
    for (const s of plan.steps) {
      this.#lastPairs.set(`${s.from} ${s.to}`, { atMs: this.nowMs, amount: s.load ?? s.count });
    }
  }

  #churn(stepMs: number): void {
    const { churnPerSecond } = this.#options;
    if (churnPerSecond === 0) return;
    const probability = (churnPerSecond * stepMs) / 1000 / Math.max(1, this.expected);
    let gone = 0;
    for (const node of this.nodes.values()) {
      if (!node.isUp || node.isBusy) continue;
      const leaving = this.random.binomial(node.byClass[0] ?? 0, probability);
      if (leaving === 0) continue;
      node.remove(leaving, 0);
      gone += leaving;
    }
    this.expected -= gone;
    const come = this.random.binomial(1_000_000, (churnPerSecond * stepMs) / 1000 / 1_000_000);
    this.expected += come;
    this.#homeless += come;
    this.#homelessByClass[0] = (this.#homelessByClass[0] ?? 0) + come;
  }

  /** As the gateway does: the less loaded of two active nodes at random, each seeing what it was just given. */
  #place(): void {
    if (this.#homeless === 0) return;
    const active = this.active();
    if (active.length === 0) return;
    this.#homelessByClass.forEach((count, cls) => {
      for (let i = 0; i < count; i++) {
        const a = this.random.pick(active);
        const b = this.random.pick(active);
        (a.sessions <= b.sessions ? a : b).add(1, cls, 0);
      }
      this.#homelessByClass[cls] = 0;
    });
    this.#homeless = 0;
  }

  #check(): void {
    let sum = this.#homeless;
    for (const node of this.nodes.values()) {
      sum += node.sessions;
      if (node.sessions < 0) this.violations.add(`${node.node} holds ${node.sessions} sessions`);
    }
    if (sum !== this.expected)
      this.violations.add(`${sum} sessions instead of ${this.expected} at step ${this.steps}`);
    this.#checkDrain();
  }

  #checkDrain(): void {
    const goal = this.balancer.drains.get(ABSENT);
    if (this.#drainEndsMs === undefined || this.#successor !== undefined) return;
    if (goal === undefined) this.violations.add('a drain is forgotten');
    else if (goal.ended !== undefined && this.nowMs < this.#drainEndsMs)
      this.violations.add(`a drain ends ${this.#drainEndsMs - this.nowMs} ms early`);
    else if (goal.ended === undefined && this.nowMs > this.#drainEndsMs + LATE_MS)
      this.violations.add('a drain goes on when its time is over');
  }
}
