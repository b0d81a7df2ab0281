import { type Load, lastViewMs } from '@evenkeel/cluster';
import type { CommandOf, MoveReport, NodeStats } from '@evenkeel/protocol';
import { Automatic } from './automatic.js';
import { Flapping } from './cluster/flapping.js';
import { ClusterState, type NodeView } from './cluster/state.js';
import { Draining } from './draining.js';
import { liveValues, type Mode, paceOf, thresholdsOf } from './live-settings.js';
import { hasEnd, inOwnTime } from './own-time.js';
import { type Draft, type Method, planOf } from './plan/draft.js';
import { type DrainGoal, type DrainStatus, drainedBy } from './plan/drains.js';
import type { Plan, PlanKind, Strategy } from './plan/plan.js';
import { type Fruitless, Policy, type PolicyOptions } from './plan/policy.js';
import { Reason } from './reason.js';
import { estimateMs } from './run/estimate.js';
import { type PaceOptions, paceDefaults } from './run/node-rate.js';
import { hasHelped, type PastPlan, pastPlan, remember } from './run/past-plan.js';
import { RateMemory } from './run/rate-memory.js';
import { type Outgoing, PlanRun, type RunOptions, type RunSnapshot, runDefaults } from './run/run.js';
import { Saver } from './saver.js';
import { Standing } from './standing.js';
import type { SavedState } from './state.js';
import { Warmth } from './warmth.js';

export type Command = Outgoing | CommandOf<'cordon' | 'uncordon' | 'set' | 'leave-broker'>;

export interface BalancerPorts {
  readonly send: (node: string, command: Command, onUnrouted: () => void) => void;
  /** Called when {@link SavedState} has changed. A plan starts only when its first state is saved. */
  save(state: SavedState): Promise<void> | undefined;
  log(event: string, fields: object): void;
  /** A plan has begun, or ended. */
  onPlan?(plan: Plan, past: PastPlan | undefined): void;
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
  /** Only shown: who decides is `isMaintenance`. */
  maintenanceWindows: readonly string[];
}

/** Everything a balancer knows and decides. Takes time as an argument; the world is behind {@link BalancerPorts}. */
export class Balancer {
  readonly view = new ClusterState();
  readonly policy: Policy;
  readonly automatic: Automatic;
  readonly standing: Standing;
  history: PastPlan[] = [];
  /** Members of the ring that sessions were last moved onto, with `consistent-hash`. */
  ring: Method['ring'];
  readonly #ports: BalancerPorts;
  readonly #options: BalancerOptions;
  readonly #pace: PaceOptions;
  readonly #saver: Saver;
  readonly #flapping = new Flapping();
  readonly #rates = new RateMemory();
  readonly #draining: Draining;
  readonly #reason: Reason;
  readonly #warmth: Warmth;
  #run: PlanRun | undefined;
  #fruitless: Fruitless = { count: 0, lastAtMs: Number.NEGATIVE_INFINITY };
  #isLeading = false;
  #lastPlanEndMs = Number.NEGATIVE_INFINITY;
  #isStarting = false;
  #held: string | undefined;
  /** Of the last call that had it. */
  #nowMs = 0;

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
      maintenanceWindows: [],
      ...options,
    };
    const { mode, strategy, load, policy, pace, isMaintenance } = this.#options;
    this.automatic = new Automatic(mode, isMaintenance);
    this.policy = new Policy({ strategy, load, ...policy });
    this.#draining = new Draining(this.policy, ports.log);
    this.#pace = { ...paceDefaults, ...pace };
    this.#saver = new Saver(ports);
    this.#reason = new Reason(ports.log);
    this.#warmth = new Warmth(this.#options.warmUpMs);
    this.standing = new Standing(
      liveValues({ ...this.#options, ...this.policy.options, ...this.#pace }),
      ports.log,
    );
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }
  get run(): PlanRun | undefined {
    return this.#run;
  }
  /** What operators want empty. */
  get drains(): Map<string, DrainGoal> {
    return this.#draining.goals;
  }
  /** Why nothing is being done, or what is. */
  get why(): string {
    return this.#reason.text;
  }
  /** Why it leads and plans nothing, and saves nothing; undefined when it does. */
  get held(): string | undefined {
    return this.#held;
  }

  observe(stats: NodeStats, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#hear(nowMs);
    const before = this.view.get(stats.node, nowMs);
    const change = this.view.observe(stats, nowMs);
    if (change === 'ignored' || change === 'none') return;
    // A node that drained before it restarted said so; one that did not has crashed.
    if (change === 'reboot' && before?.stats.state !== 'draining') this.#flapping.strike(stats.node, nowMs);
    if (change === 'returned') this.#flapping.strike(stats.node, nowMs);
    const { node, boot, state, version, sessions } = stats;
    this.#ports.log('node changed', { node, change, boot, state, version, sessions });
  }

  report(report: MoveReport, nowMs: number): void {
    this.#run?.report(report, nowMs);
  }

  /** An edge's reports may have been lost: asks for those on every move under way. */
  askAgain(nowMs: number): void {
    this.#run?.askAgain(nowMs);
  }

  /** An operator ends the plan. Nothing like it is made at once; returns the nodes that nobody wants empty any more. */
  abort(by: string, nowMs: number): string[] {
    const run = this.#run;
    if (run?.abort(`aborted by ${by}`) !== true) return [];
    const { kind, steps, drains = steps.map((step) => step.from) } = run.plan;
    if (kind !== 'drain') this.automatic.abortedBy = { by, at: nowMs };
    const nodes = kind === 'drain' ? drains.map((node) => this.view.get(node, nowMs)) : [];
    return this.#draining.abandon(
      nodes.filter((n) => n !== undefined),
      by,
      nowMs,
    );
  }

  /** An operator does not want this node empty any more. */
  withdraw(node: string, by: string): void {
    this.#draining.withdraw(node, by);
  }

  /** How far the emptying of a node is; undefined where nobody wants it empty. */
  drainOf(n: NodeView): DrainStatus | undefined {
    return this.#draining.statusOf(n, this.#run);
  }

  /** Leads, and leaves everything as it is: what the leader before has left is not understood. */
  hold(why: string): void {
    this.#isLeading = true;
    this.#run = undefined;
    this.#held = why;
    this.#reason.is(why);
    this.automatic.isPaused = true;
  }

  /** Takes over where the leader before left off. */
  lead(left: SavedState | undefined, nowMs: number): void {
    this.#letGo();
    this.#nowMs = nowMs;
    this.#isLeading = true;
    this.#run = undefined;
    if (left === undefined) return;
    const saved = inOwnTime(left, this.view.clocks, nowMs);
    this.drains.clear();
    for (const goal of saved.drains) this.drains.set(goal.node, goal);
    this.standing.restore(saved);
    this.configure();
    this.automatic.restore(saved);
    this.history = [...saved.history];
    this.ring = saved.ring;
    if (saved.plan === undefined) return;
    this.#run = this.#makeRun(saved.plan, nowMs, saved.run);
    this.#ports.log('plan taken over', { plan: saved.plan.id, state: this.#run.state });
  }

  /** Another leads: commands nothing and forgets the plan, which is the other's now. */
  follow(): void {
    this.#letGo();
    this.#isLeading = false;
    this.#run = undefined;
  }

  isWarm(nowMs: number): boolean {
    return this.#warmth.isWarm(nowMs);
  }

  /** Does what is due. Call it ten times a second. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    if (!this.#isLeading || this.#held !== undefined || this.#isStarting || !this.isWarm(nowMs)) return;
    // Nothing that is done now could be followed, and what is not reported is nobody's fault.
    const silentMs = this.view.silentMs(nowMs);
    if (silentMs !== undefined && silentMs < lastViewMs && this.view.size > 0)
      return this.#reason.explain(
        'no node is heard: it may be the connection to the broker, so the last view stands for a minute',
        nowMs,
      );
    const hasChanged = this.#draining.review((node) => this.view.get(node, nowMs), nowMs);
    if (hasChanged || this.#saver.isDue(() => hasEnd(this.saved()), nowMs)) void this.save();
    if (this.#run !== undefined) this.#goOn(this.#run, nowMs);
    else this.#decide(nowMs);
    const nodes = this.view.nodes(nowMs);
    const send = (node: string, command: Command) => this.#ports.send(node, command, () => {});
    this.#draining.hold(nodes, this.#run, send, nowMs);
    this.standing.keep(nodes, this.drains, send, nowMs);
  }

  /** Starts a plan. The first command goes out when it has been saved. */
  start(
    kind: PlanKind,
    why: string,
    by: string,
    draft: Pick<Draft, 'steps' | 'total'> & Partial<Draft>,
    nowMs: number,
    drains?: readonly string[],
  ): Plan {
    const { moveDeadlineMs } = this.standing.settings.values;
    const plan = planOf(
      draft,
      {
        id: this.#ports.newPlanId(),
        kind,
        why,
        by,
        startedAt: nowMs,
        moveDeadlineMs,
        ...(drains === undefined ? {} : { drains }),
      },
      this.drains,
    );
    const run = this.#makeRun(plan, nowMs);
    this.#run = run;
    this.#reason.is(why);
    const { id, total, steps } = plan;
    this.#ports.log('plan started', { plan: id, kind, why, by, total, steps: steps.length });
    this.#ports.onPlan?.(plan, undefined);
    const saving = this.#ports.save(this.saved());
    if (saving !== undefined) this.#startWhen(saving, run);
    return plan;
  }

  /** What is set counts from now on: thresholds at once, the pace for a plan that runs too. */
  configure(): void {
    const { mode, ...values } = this.standing.settings.values;
    this.automatic.mode = mode;
    this.policy.configure(thresholdsOf(values));
    Object.assign(this.#pace, paceOf(values));
  }

  /** About how long these moves take. */
  estimateMs(moves: readonly { from: string; to: string; count: number }[]): number {
    return estimateMs(moves, this.#pace);
  }

  /** An operator asks again for what was given up. */
  forgive(key: string): void {
    this.#draining.forgive(key);
  }

  saved(): SavedState {
    return {
      v: 1,
      clock: { at: this.#nowMs, nodes: this.view.clocks.marks() },
      ...(this.#run === undefined ? {} : { plan: this.#run.plan, run: this.#run.snapshot() }),
      drains: [...this.drains.values()],
      ...this.standing.saved(),
      ...this.automatic.saved(),
      history: this.history,
      ...(this.ring === undefined ? {} : { ring: this.ring }),
    };
  }

  /** Saves now: something an operator has asked for has changed. */
  save(): Promise<void> {
    // Whoever does not lead writes over nothing.
    if (this.#held !== undefined || !this.#isLeading) return Promise.resolve();
    return this.#saver.save(this.saved());
  }

  /** A report has come, whosever. After a silence of all each node is waited for, as after the start. */
  #hear(nowMs: number): void {
    const silentMs = this.view.silentMs(nowMs);
    this.#warmth.heard(nowMs, silentMs !== undefined);
    if (silentMs === undefined) return;
    this.#run?.askAgain(nowMs);
    this.#ports.log('heard again', { silentMs });
  }

  #letGo(): void {
    if (this.#held !== undefined) this.automatic.resume();
    this.#held = undefined;
  }

  #decide(nowMs: number): void {
    const decision = this.policy.decide({
      nowMs,
      nodes: this.view.nodes(nowMs),
      drains: this.drains,
      levelling: this.automatic.mayLevel(nowMs),
      lastPlanEndMs: this.#lastPlanEndMs,
      fruitless: this.#fruitless,
      flapping: this.#flapping.held(nowMs),
      attempts: this.#draining.attempts,
      ring: this.ring,
    });
    if (decision.kind === 'wait') return this.#reason.explain(decision.why, nowMs);
    const { planKind, why, draft, drains } = decision;
    const by = planKind === 'drain' ? drainedBy(drains ?? [], this.drains) : 'auto';
    const asked = by === 'auto' ? why : `${why}, asked for by ${by}`;
    this.start(planKind, asked, by, draft, nowMs, drains);
  }

  #goOn(run: PlanRun, nowMs: number): void {
    const urgent = this.#draining.urgent(run.plan, this.view.nodes(nowMs));
    if (urgent !== undefined) run.abort(`${urgent.node} must be drained first`);
    run.tick(nowMs);
    if (run.isOver) this.#end(run, nowMs);
    else this.#saver.saveProgress(run, () => this.saved(), nowMs);
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

  #end(run: PlanRun, nowMs: number): void {
    this.#run = undefined;
    this.#lastPlanEndMs = nowMs;
    this.#rates.keep(run.paces(), (node) => this.view.get(node, nowMs), nowMs);
    this.view.restartAverages();
    const past = pastPlan(run, nowMs);
    this.history = remember(this.history, past);
    const { kind, ring, steps } = run.plan;
    // Who lies wrong still is looked for again: only a plan that has come far enough makes the ring what it names.
    if (ring !== undefined && !run.hasFilled && this.policy.isRight(run.progress())) this.ring = ring.nodes;
    if (kind === 'drain' && run.state !== 'done') {
      const names = [...new Set(steps.map((s) => s.from))];
      const left = names.map((name) => this.view.get(name, nowMs));
      this.#draining.failed(
        left.filter((n) => n !== undefined),
        nowMs,
      );
    }
    if (kind === 'rebalance') {
      const count = hasHelped(past, run.hasFilled) ? 0 : this.#fruitless.count + 1;
      this.#fruitless = { count, lastAtMs: nowMs };
    }
    this.#draining.closed(steps);
    const { moved: _moved, ...fields } = past;
    this.#ports.log('plan ended', { ...fields, tookMs: nowMs - past.startedAt });
    this.#ports.onPlan?.(run.plan, past);
    void this.save();
  }

  #makeRun(plan: Plan, nowMs: number, snapshot?: RunSnapshot): PlanRun {
    const ports = {
      send: this.#ports.send,
      node: (name: string, atMs: number) => this.view.get(name, atMs),
      paceOf: (name: string, atMs: number) => this.#rates.of(this.view.get(name, atMs), atMs),
    };
    const options: RunOptions = { ...runDefaults, ...this.#options.run, pace: this.#pace };
    return new PlanRun(plan, ports, options, nowMs, snapshot);
  }
}
