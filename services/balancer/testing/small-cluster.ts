import type { CommandOf, MoveReport, NodeStats } from '@evenkeel/protocol';
import { Balancer, type BalancerOptions, type Command } from '../src/core/balancer.js';
import type { SavedState } from '../src/core/state.js';
import { readState } from '../src/store/saved-state.js';
import { statsOf } from './stats.js';

/** A node of a {@link SmallCluster}: counts in place of sessions. */
export interface SmallNode {
  sessions: number;
  /** Of these, those whose front brings them back; picked before the others. */
  stuck: number;
  /** Of the stuck ones, those found out. */
  pinned: number;
  /** Of every move to it this part does not come through. */
  failing: number;
  /** Its clients leave when they are asked for something. */
  isFleeting: boolean;
  /** What a ring gives to it in the end; undefined: nobody. */
  ringShare: number | undefined;
  /** Events a second that each of its sessions gets. */
  eventsPerSession: (nowMs: number) => number;
  /** Its clients do nothing that they are asked for. */
  isDeaf: boolean;
  stats: Partial<NodeStats>;
}

/** Reports come this often, ms. */
const reportEveryMs = 1_000;
const tickMs = 100;

/** A balancer over a few nodes that obey at once, on simulated time. */
export class SmallCluster {
  readonly nodes = new Map<string, SmallNode>();
  readonly sent: { node: string; command: Command }[] = [];
  readonly logs: { event: string; fields: object }[] = [];
  /** Who leads. */
  balancer: Balancer;
  /** By the clocks of the nodes. */
  nowMs = 1_000_000;
  /** How far the clock of who leads is ahead of theirs. */
  #aheadMs = 0;
  readonly #options: Partial<BalancerOptions>;
  isSilent = false;
  saved: SavedState | undefined;
  readonly #reports: MoveReport[] = [];
  #seq = 0;
  #plans = 0;

  constructor(nodes: Record<string, Partial<SmallNode>>, options: Partial<BalancerOptions> = {}) {
    for (const [name, node] of Object.entries(nodes)) this.add(name, node);
    this.#options = options;
    this.balancer = this.#newBalancer();
    this.balancer.lead(undefined, this.nowMs);
  }

  #newBalancer(): Balancer {
    return new Balancer(
      {
        send: (node, command) => this.#obey(node, command),
        save: (state) => {
          this.saved = state;
          return undefined;
        },
        log: (event, fields) => this.logs.push({ event, fields }),
        newPlanId: () => `p${++this.#plans}`,
      },
      this.#options,
    );
  }

  /** The time of who leads. */
  get leaderMs(): number {
    return this.nowMs + this.#aheadMs;
  }

  /**
   * The leader dies. Another balancer, whose clock is so far ahead of those of the nodes, has heard them for four seconds, if they
   * speak, before it takes over what was saved last: `as` what that is to it.
   */
  succeed(aheadMs: number, as: (saved: SavedState) => unknown = (saved) => saved): void {
    const left = readState(JSON.parse(JSON.stringify(as(this.saved ?? this.balancer.saved()))));
    this.#aheadMs = aheadMs;
    this.balancer = this.#newBalancer();
    this.play(4);
    if ('state' in left) this.balancer.lead(left.state, this.leaderMs);
  }

  add(name: string, node: Partial<SmallNode>): void {
    this.nodes.set(name, {
      sessions: 0,
      stuck: 0,
      pinned: 0,
      failing: 0,
      ringShare: undefined,
      eventsPerSession: () => 0,
      isDeaf: false,
      isFleeting: false,
      ...node,
      stats: { ...node.stats },
    });
  }

  node(name: string): SmallNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    return node;
  }

  /** What an operator's drain does. */
  drain(name: string, more: { endsBy?: number; closesPerSecond?: number } = {}): void {
    this.#obey(name, { command: 'cordon' });
    this.balancer.view.unpin(name, this.leaderMs);
    this.balancer.drains.set(name, { node: name, boot: `${name}-1`, by: 'ann', ...more });
    void this.balancer.save();
  }

  /** What an operator's cordon does. */
  cordon(name: string): void {
    this.#obey(name, { command: 'cordon' });
    this.balancer.standing.cordons.set({ node: name, by: 'ann', at: this.leaderMs });
    this.balancer.standing.cordons.told(name, this.leaderMs);
    void this.balancer.save();
  }

  /** Another process takes the place of a node's, at once. */
  restart(name: string): void {
    const { stats } = this.node(name);
    stats.boot = `${this.#bootOf(name)}+`;
    stats.state = 'active';
  }

  #bootOf(name: string): string {
    return this.node(name).stats.boot ?? `${name}-1`;
  }

  play(seconds: number): void {
    const endsAtMs = this.nowMs + seconds * 1_000;
    for (; this.nowMs < endsAtMs; this.nowMs += tickMs) {
      if (!this.isSilent && this.nowMs % reportEveryMs === 0) this.#speak();
      for (const report of this.#reports.splice(0)) this.balancer.report(report, this.leaderMs);
      this.balancer.tick(this.leaderMs);
    }
  }

  counts(): Record<string, number> {
    return Object.fromEntries([...this.nodes].map(([name, { sessions }]) => [name, sessions]));
  }

  get plans(): number {
    return this.#plans;
  }

  drainOf(name: string) {
    const view = this.balancer.view.get(name, this.leaderMs);
    return view && this.balancer.drainOf(view);
  }

  #speak(): void {
    this.#seq += 1;
    for (const [name, { sessions, pinned, stats, eventsPerSession }] of this.nodes) {
      const deliveredPerSecond = sessions * eventsPerSession(this.nowMs);
      const seen = { sessions, pinned, deliveredPerSecond, at: this.nowMs, ...stats };
      this.balancer.observe(statsOf(name, this.#seq, seen), this.leaderMs);
    }
  }

  #obey(name: string, command: Command): void {
    this.sent.push({ node: name, command });
    const node = this.node(name);
    if (command.command === 'cordon') {
      node.stats.state = 'cordoned';
      node.pinned = 0;
      this.#speak();
    }
    if (command.command === 'uncordon') node.stats.state = 'active';
    if (command.command === 'reconnect') this.#reconnect(name, node, command);
  }

  #reconnect(name: string, node: SmallNode, command: CommandOf<'reconnect'>): void {
    const isClosing = command.pinned === 'close';
    const target = this.node(command.to.node);
    const movable = node.sessions - node.pinned;
    const owned = command.ring === undefined ? movable : (target.ringShare ?? 0) - target.sessions;
    const worth =
      command.load === undefined ? movable : Math.round(command.load / node.eventsPerSession(this.nowMs));
    const free = isClosing ? node.pinned : Math.max(0, Math.min(movable, owned, worth));
    const asked = command.sessions?.length ?? command.count ?? free;
    const picked = Math.min(asked, free);
    const progress = {
      move: command.move,
      to: command.to.node,
      asked,
      sent: picked,
      refused: asked - picked,
    };
    const none = { done: 0, failed: 0, timedOut: 0, isFinal: true };
    const report = (more: object) =>
      this.#reports.push({
        v: 1,
        node: name,
        boot: this.#bootOf(name),
        at: this.nowMs,
        moves: [{ ...progress, ...none, ...more }],
      });
    if (isClosing) {
      node.sessions -= picked;
      node.pinned -= picked;
      node.stuck -= picked;
      report({ done: picked });
      return;
    }
    if (node.isDeaf) {
      report({ timedOut: picked });
      return;
    }
    if (node.isFleeting) {
      node.sessions -= picked;
      report({ failed: picked });
      return;
    }
    const pinned = Math.min(picked, node.stuck - node.pinned);
    const failed = Math.round((picked - pinned) * target.failing);
    const done = picked - pinned - failed;
    node.pinned += pinned;
    node.sessions -= done;
    target.sessions += done;
    report({ done, failed: pinned, timedOut: failed, ...(pinned === 0 ? {} : { pinned }) });
  }
}
