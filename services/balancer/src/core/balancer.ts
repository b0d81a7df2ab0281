import type { Load } from '@evenkeel/cluster';
import type { CommandOf, MoveReport, NodeStats } from '@evenkeel/protocol';
import { Flapping } from './cluster/flapping.js';
import { ClusterState } from './cluster/state.js';
import type { Draft, Method } from './plan/draft.js';
import type { Plan, PlanKind, Strategy } from './plan/plan.js';
import {
  attemptKey,
  type DrainAttempts,
  type DrainGoal,
  isDraining,
  Policy,
  type PolicyOptions,
} from './plan/policy.js';
import { type PaceMemory, type PaceOptions, paceDefaults } from './run/node-rate.js';
import { type PastPlan, pastPlan } from './run/past-plan.js';
import { type Outgoing, PlanRun, type RunOptions, type RunSnapshot, runDefaults } from './run/run.js';

export type Mode = 'auto' | 'manual';
export type Command = Outgoing | CommandOf<'cordon'> | CommandOf<'uncordon'>;

/** What a successor needs. */
export interface SavedState {
  readonly v: 1;
  readonly plan?: Plan;
  readonly run?: RunSnapshot;
  readonly drains: readonly DrainGoal[];
  readonly isPaused: boolean;
  readonly history: readonly PastPlan[];
  readonly ring?: Method['ring'];
}

export interface BalancerPorts {
  send(node: string, command: Command, onUnrouted: () => void): void;
  /** Called when {@link SavedState} has changed. A plan starts only when its first state is saved. */
  save(state: SavedState): Promise<void> | undefined;
  log(event: string, fields: object): void;
  newPlanId(): string;
}

export interface BalancerOptions {
  policy: Partial<PolicyOptions>;
  pace: Partial<PaceOptions>;
  run: Partial<Omit<RunOptions, 'pace'>>;
  mode: Mode;
  strategy: Strategy;
  load: Load;
  /** Whether nothing may move by itself at this time. */
  isMaintenance: (nowMs: number) => boolean;
  /** The view is trusted this long after the first report: by then every node has spoken. */
  warmUpMs: number;
  moveDeadlineMs: number;
}

const HISTORY = 100;
const SAVE_EVERY_MS = 250;
/** A pace found out is where the next plan starts, if it comes this soon: the machine may be another by then. */
const PACE_KEPT_MS = 30_000;
const SAME_REASON_EVERY_MS = 60_000;

/** Everything a balancer knows and decides. Takes time as an argument; the world is behind {@link BalancerPorts}. */
export class Balancer {
  readonly view = new ClusterState();
  readonly policy: Policy;
  readonly drains = new Map<string, DrainGoal>();
  mode: Mode;
  isPaused = false;
  history: PastPlan[] = [];
  /** Members of the ring that sessions were last moved onto, with `consistent-hash`. */
  ring: Method['ring'];
  readonly #ports: BalancerPorts;
  readonly #options: BalancerOptions;
  readonly #flapping = new Flapping();
  readonly #attempts = new Map<string, DrainAttempts>();
  /** What the last plans have found out about nodes' paces. */
  readonly #paces = new Map<string, PaceMemory & { boot: string; untilMs: number }>();
  #run: PlanRun | undefined;
  #isLeading = false;
  #firstReportMs: number | undefined;
  #lastPlanEndMs = Number.NEGATIVE_INFINITY;
  #savedAtMs = Number.NEGATIVE_INFINITY;
  #savedRun = '';
  #why = 'starting';
  #whyAtMs = Number.NEGATIVE_INFINITY;
  #isStarting = false;

  constructor(ports: BalancerPorts, options: Partial<BalancerOptions> = {}) {
    this.#ports = ports;
    this.#options = {
      policy: {},
      pace: {},
      run: {},
      mode: 'auto',
      strategy: 'least-loaded',
      load: 'connections',
      isMaintenance: () => false,
      warmUpMs: 2500,
      moveDeadlineMs: 10_000,
      ...options,
    };
    const { strategy, load } = this.#options;
    this.policy = new Policy({ strategy, load, ...this.#options.policy });
    this.mode = this.#options.mode;
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }
  get run(): PlanRun | undefined {
    return this.#run;
  }
  /** Why nothing is being done, or what is. */
  get why(): string {
    return this.#why;
  }

  observe(stats: NodeStats, nowMs: number): void {
    this.#firstReportMs ??= nowMs;
    const before = this.view.get(stats.node, nowMs);
    const change = this.view.observe(stats, nowMs);
    if (change === 'ignored' || change === 'none') return;
    // A node that drained before it restarted said so; one that did not has crashed.
    if (change === 'returned' || (change === 'reboot' && before?.stats.state !== 'draining')) {
      this.#flapping.strike(stats.node, nowMs);
    }
    const { node, boot, state, version, sessions } = stats;
    this.#ports.log('node changed', { node, change, boot, state, version, sessions });
  }

  report(report: MoveReport, nowMs: number): void {
    this.#run?.report(report, nowMs);
  }

  /** Takes over where the leader before left off. */
  lead(saved: SavedState | undefined, nowMs: number): void {
    this.#isLeading = true;
    this.#run = undefined;
    if (saved === undefined) return;
    this.drains.clear();
    for (const goal of saved.drains) this.drains.set(goal.node, goal);
    this.isPaused = saved.isPaused;
    this.history = [...saved.history];
    this.ring = saved.ring;
    if (saved.plan === undefined) return;
    this.#run = this.#makeRun(saved.plan, nowMs, saved.run);
    this.#ports.log('plan taken over', { plan: saved.plan.id, state: this.#run.state });
  }

  /** Another leads: commands nothing and forgets the plan, which is the other's now. */
  follow(): void {
    this.#isLeading = false;
    this.#run = undefined;
  }

  isWarm(nowMs: number): boolean {
    return this.#firstReportMs !== undefined && nowMs - this.#firstReportMs >= this.#options.warmUpMs;
  }

  /** Does what is due. Call it ten times a second. */
  tick(nowMs: number): void {
    if (!this.#isLeading || this.#isStarting || !this.isWarm(nowMs)) return;
    this.#pruneDrains(nowMs);
    if (this.#run !== undefined) {
      this.#interrupt(this.#run, nowMs);
      this.#run.tick(nowMs);
      if (this.#run.isOver) this.#end(this.#run, nowMs);
      else this.#saveProgress(nowMs);
      return;
    }
    const decision = this.policy.decide({
      nowMs,
      nodes: this.view.nodes(nowMs),
      drains: this.drains,
      levelling: this.#levelling(nowMs),
      lastPlanEndMs: this.#lastPlanEndMs,
      flapping: this.#flapping.held(nowMs),
      attempts: this.#attempts,
      ring: this.ring,
    });
    if (decision.kind === 'wait') {
      this.#explain(decision.why, nowMs);
      return;
    }
    this.start(decision.planKind, decision.why, 'auto', decision.draft, nowMs);
  }

  /** Starts a plan. The first command goes out when it has been saved. */
  start(
    kind: PlanKind,
    why: string,
    by: string,
    draft: Pick<Draft, 'steps' | 'total'> & Partial<Draft>,
    nowMs: number,
  ): Plan {
    const deadlines = draft.steps.map(
      (step) => this.drains.get(step.from)?.endsBy ?? Number.POSITIVE_INFINITY,
    );
    const latest = kind === 'drain' ? Math.max(...new Set(deadlines)) : Number.POSITIVE_INFINITY;
    const endsBy = Number.isFinite(latest) ? latest : undefined;
    const plan: Plan = {
      id: this.#ports.newPlanId(),
      kind,
      why,
      by,
      strategy: draft.strategy ?? 'least-loaded',
      load: draft.load ?? 'connections',
      steps: draft.steps,
      total: draft.total,
      startedAt: nowMs,
      moveDeadlineMs: this.#options.moveDeadlineMs,
      ...(draft.ring === undefined ? {} : { ring: draft.ring }),
      ...(endsBy === undefined ? {} : { endsBy }),
    };
    const run = this.#makeRun(plan, nowMs);
    this.#run = run;
    this.#why = why;
    this.#ports.log('plan started', {
      plan: plan.id,
      kind,
      why,
      by,
      total: plan.total,
      steps: plan.steps.length,
    });
    const saving = this.#ports.save(this.saved());
    if (saving !== undefined) this.#startWhen(saving, run);
    return plan;
  }

  #startWhen(saving: Promise<void>, run: PlanRun): void {
    this.#isStarting = true;
    saving.then(
      () => {
        this.#isStarting = false;
      },
      (error: unknown) => {
        this.#isStarting = false;
        if (this.#run === run) this.#run = undefined;
        const plan = run.plan.id;
        this.#ports.log('plan not started, its state could not be saved', { plan, error: String(error) });
      },
    );
  }

  /** About how long these moves take: the slowest way in or out at half the greatest rate. */
  estimateMs(moves: readonly { from: string; to: string; count: number }[]): number {
    const perNode = new Map<string, number>();
    for (const m of moves) {
      perNode.set(`out ${m.from}`, (perNode.get(`out ${m.from}`) ?? 0) + m.count);
      perNode.set(`in ${m.to}`, (perNode.get(`in ${m.to}`) ?? 0) + m.count);
    }
    const pace = { ...paceDefaults, ...this.#options.pace };
    let most = 0;
    for (const count of perNode.values()) most = Math.max(most, count);
    return Math.round((most / ((pace.startPerSecond + pace.maxPerSecond) / 2)) * 1000);
  }

  /** An operator asks again for what was given up. */
  forgive(key: string): void {
    this.#attempts.delete(key);
  }

  saved(): SavedState {
    return {
      v: 1,
      ...(this.#run === undefined ? {} : { plan: this.#run.plan, run: this.#run.snapshot() }),
      drains: [...this.drains.values()],
      isPaused: this.isPaused,
      history: this.history,
      ...(this.ring === undefined ? {} : { ring: this.ring }),
    };
  }

  /** Saves now: something an operator has asked for has changed. */
  async save(): Promise<void> {
    try {
      await this.#ports.save(this.saved());
    } catch (error) {
      this.#ports.log('state not saved', { error: String(error) });
    }
  }

  #levelling(nowMs: number): true | string {
    if (this.isPaused) return 'paused by an operator';
    if (this.mode === 'manual') return 'manual mode';
    if (this.#options.isMaintenance(nowMs)) return 'maintenance window';
    return true;
  }

  /** A node that must be emptied now cannot wait for levelling to end. */
  #interrupt(run: PlanRun, nowMs: number): void {
    const nodes = this.view.nodes(nowMs);
    const isPlanned = new Set(run.plan.kind === 'drain' ? run.plan.steps.map((s) => s.from) : []);
    const urgent = nodes.find(
      (n) =>
        (n.phase === 'draining' || n.phase === 'cordoned') &&
        isDraining(n, this.drains) &&
        n.stats.sessions > 0 &&
        !isPlanned.has(n.node) &&
        !this.policy.hasGivenUp(this.#attempts.get(attemptKey(n))),
    );
    if (urgent !== undefined) run.abort(`${urgent.node} must be drained first`);
  }

  #end(run: PlanRun, nowMs: number): void {
    this.#run = undefined;
    this.#lastPlanEndMs = nowMs;
    this.#rememberPaces(run, nowMs);
    this.view.restartAverages();
    const past = pastPlan(run, nowMs);
    this.history = [...this.history, past].slice(-HISTORY);
    if (run.plan.ring !== undefined && run.state !== 'aborted') this.ring = run.plan.ring.nodes;
    if (run.plan.kind === 'drain' && run.state !== 'done') {
      for (const name of new Set(run.plan.steps.map((s) => s.from))) {
        const node = this.view.get(name, nowMs);
        if (node === undefined) continue;
        const key = attemptKey(node);
        this.#attempts.set(key, { count: (this.#attempts.get(key)?.count ?? 0) + 1, lastAtMs: nowMs });
      }
      if (this.#attempts.size > 10_000) this.#attempts.clear();
    }
    const { moved: _, ...fields } = past;
    this.#ports.log('plan ended', { ...fields, tookMs: nowMs - past.startedAt });
    void this.save();
  }

  #rememberPaces(run: PlanRun, nowMs: number): void {
    for (const [node, { untilMs }] of this.#paces) if (untilMs < nowMs) this.#paces.delete(node);
    for (const [node, memory] of run.paces()) {
      const boot = this.view.get(node, nowMs)?.stats.boot;
      if (boot !== undefined) this.#paces.set(node, { ...memory, boot, untilMs: nowMs + PACE_KEPT_MS });
    }
  }

  #paceOf(node: string, nowMs: number): PaceMemory | undefined {
    const kept = this.#paces.get(node);
    if (kept === undefined || kept.untilMs < nowMs) return undefined;
    return this.view.get(node, nowMs)?.stats.boot === kept.boot ? kept : undefined;
  }

  #saveProgress(nowMs: number): void {
    if (this.#run === undefined || nowMs - this.#savedAtMs < SAVE_EVERY_MS) return;
    const text = JSON.stringify(this.#run.snapshot());
    if (text === this.#savedRun) return;
    this.#savedRun = text;
    this.#savedAtMs = nowMs;
    void this.save();
  }

  #pruneDrains(nowMs: number): void {
    for (const [name, goal] of this.drains) {
      const node = this.view.get(name, nowMs);
      const isOver = node === undefined || node.phase === 'gone' || node.stats.boot !== goal.boot;
      if (isOver || (goal.endsBy !== undefined && nowMs > goal.endsBy)) this.drains.delete(name);
    }
  }

  #explain(why: string, nowMs: number): void {
    if (why === this.#why && nowMs - this.#whyAtMs < SAME_REASON_EVERY_MS) return;
    this.#why = why;
    this.#whyAtMs = nowMs;
    this.#ports.log('nothing to do', { why });
  }

  #makeRun(plan: Plan, nowMs: number, snapshot?: RunSnapshot): PlanRun {
    const ports = {
      send: (node: string, command: Outgoing, onUnrouted: () => void) =>
        this.#ports.send(node, command, onUnrouted),
      node: (name: string, atMs: number) => this.view.get(name, atMs),
      paceOf: (name: string, atMs: number) => this.#paceOf(name, atMs),
    };
    const options: RunOptions = {
      ...runDefaults,
      ...this.#options.run,
      pace: { ...paceDefaults, ...this.#options.pace },
    };
    return new PlanRun(plan, ports, options, nowMs, snapshot);
  }
}
