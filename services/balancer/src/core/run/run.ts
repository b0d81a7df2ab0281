import type { CommandOf, MoveProgress, MoveReport } from '@evenkeel/protocol';
import type { NodeView } from '../cluster/state.js';
import type { Plan, PlanState, StepProgress } from '../plan/plan.js';
import { addedBy, type Batch, batchName, leftOf, makeBatch, settledOf } from './batch.js';
import { type ChaseOptions, chase, hasLeft, obstacleAt } from './chase.js';
import { leastPerSecond, type PaceMemory, type PaceOptions } from './node-rate.js';
import { NodeRates } from './rates.js';
import {
  isOver,
  isWhole,
  makeStep,
  progressOf,
  type Step,
  type StepSnapshot,
  settle,
  snapshotOf,
  sumOf,
  underWayOf,
} from './step.js';

export type Outgoing = CommandOf<'reconnect'> | CommandOf<'cancel'>;

/** What the executor needs of the world. */
export interface RunPorts {
  /** Sends to an edge; `onUnrouted` is called when nobody takes it. */
  send(node: string, command: Outgoing, onUnrouted: () => void): void;
  node(name: string, nowMs: number): NodeView | undefined;
  /** What the plan before has found out about the pace that a node bears. */
  paceOf?(name: string, nowMs: number): PaceMemory | undefined;
}

export interface RunOptions extends ChaseOptions {
  pace: PaceOptions;
  /** Sessions a command names at most. */
  maxBatch: number;
}

export const runDefaults: Omit<RunOptions, 'pace'> = {
  resendAfterMs: 1500,
  maxResends: 4,
  askAfterMs: 3000,
  maxBatch: 500,
  maxFailedRatio: 0.3,
  judgedFrom: 20,
};

/** What must outlive the leader. */
export interface RunSnapshot {
  readonly state: PlanState;
  readonly steps: readonly StepSnapshot[];
}

/**
 * Carries out one plan: sends its steps in batches, as fast as both ends bear, and follows each to its end.
 * The next batch of a step goes out only when the last one was reported, so that what an edge has picked is
 * always known, and a successor that sends a batch again learns it too. No timers: call {@link tick}.
 */
export class PlanRun {
  readonly plan: Plan;
  readonly #ports: RunPorts;
  readonly #options: RunOptions;
  readonly #steps: readonly Step[];
  readonly #byMove = new Map<string, { step: Step; batch: Batch }>();
  readonly #rates: NodeRates;
  /** Moves under way by node, in or out. */
  readonly #underWay = new Map<string, number>();
  #state: PlanState = 'running';
  #why = '';
  #offset = 0;

  constructor(plan: Plan, ports: RunPorts, options: RunOptions, nowMs: number, snapshot?: RunSnapshot) {
    this.plan = plan;
    this.#ports = ports;
    this.#options = options;
    this.#rates = new NodeRates(options.pace, (node) => ports.paceOf?.(node, nowMs));
    if (snapshot !== undefined) this.#state = snapshot.state;
    this.#steps = plan.steps.map((step, index) => {
      const boot = ports.node(step.from, nowMs)?.stats.boot ?? '';
      return makeStep(step, index, boot, snapshot?.steps[index]);
    });
  }

  get state(): PlanState {
    return this.#state;
  }

  get isOver(): boolean {
    return this.#state === 'done' || this.#state === 'partial' || this.#state === 'aborted';
  }

  /** Why it ended as it did; empty while it runs. */
  get outcome(): string {
    return this.#why;
  }

  pause(): boolean {
    if (this.#state !== 'running') return false;
    this.#state = 'paused';
    return true;
  }

  resume(): boolean {
    if (this.#state !== 'paused') return false;
    this.#state = 'running';
    return true;
  }

  /** Sends nothing more and takes back what the edges have not sent; what was sent is followed to its end. */
  abort(why: string): boolean {
    if (this.isOver || this.#state === 'stopping') return false;
    this.#state = 'stopping';
    this.#why = why;
    for (const step of this.#steps) this.#drop(step, why);
    return true;
  }

  /** Takes an edge's report. Reports of other plans and of another boot are ignored. */
  report(report: MoveReport, nowMs: number): void {
    const added = new Map<Step, { sent: number; settled: number }>();
    for (const progress of report.moves) {
      const known = this.#byMove.get(progress.move);
      if (known === undefined || known.step.plan.from !== report.node || known.step.boot !== report.boot)
        continue;
      const { step, batch } = known;
      const { sent = 0, settled = 0 } = added.get(step) ?? {};
      const more = addedBy(progress, batch.report);
      added.set(step, { sent: sent + more.sent, settled: settled + more.settled });
      this.#take(step, batch, progress, nowMs);
    }
    for (const [step, { sent, settled }] of added) step.delay.observe(sent, settled, report.at, nowMs);
  }

  /**
   * Reports may have been lost: what has become of every command under way is asked for with the next tick, and its time begins
   * anew.
   */
  askAgain(nowMs: number): void {
    for (const step of this.#steps)
      for (const batch of step.batches) {
        batch.heardAtMs = Number.NEGATIVE_INFINITY;
        batch.sentAtMs = batch.report === undefined ? Number.NEGATIVE_INFINITY : nowMs;
        batch.resends = 0;
      }
  }

  /** Does what is due. Call it several times a second. */
  tick(nowMs: number): void {
    if (this.isOver) return;
    this.#rates.feed((node) => this.#ports.node(node, nowMs), nowMs);
    const busy = this.#steps.filter((step) => step.batches.length > 0);
    this.#rates.steer(
      busy.map(({ plan: { from, to }, delay }) => ({ from, to, delay })),
      nowMs,
    );
    this.#underWay.clear();
    for (const step of busy) this.#addUnderWay(step, underWayOf(step));
    const { endsBy } = this.plan;
    if (endsBy !== undefined && nowMs >= endsBy && this.#state !== 'stopping') this.abort('deadline passed');
    for (const step of this.#inTurn()) {
      if (isOver(step)) continue;
      this.#check(step, nowMs);
      this.#chase(step, nowMs);
      if (this.#state === 'running') this.#advance(step, nowMs);
    }
    if (this.#steps.every(isOver)) this.#finish();
  }

  /** Whether a target has taken all that it has room for, while more may have to go there. */
  get hasFilled(): boolean {
    if (this.plan.isShort === true) return true;
    return this.#steps.some((step) => {
      const { asked, refused } = sumOf(step);
      return step.plan.isCapped === true && asked - refused >= step.plan.count;
    });
  }

  /** Whether sessions of this node are still to be moved. */
  isMoving(node: string): boolean {
    return this.#steps.some((step) => step.plan.from === node && !isOver(step));
  }

  progress(): StepProgress[] {
    return this.#steps.map(progressOf);
  }

  /** Moves a second that the plan's nodes allow at present, the slowest way in or out deciding. */
  ratePerSecond(): number {
    const open = this.#steps.filter((step) => !isOver(step));
    const sum = (nodes: readonly string[]) =>
      [...new Set(nodes)].reduce((all, node) => all + this.#rates.of(node, 0).perSecond, 0);
    return Math.min(sum(open.map((step) => step.plan.from)), sum(open.map((step) => step.plan.to)));
  }

  /** What was found out about the pace that each node bears. */
  paces(): [string, PaceMemory][] {
    return this.#rates.memories();
  }

  snapshot(): RunSnapshot {
    return { state: this.#state, steps: this.#steps.map(snapshotOf) };
  }

  /** The steps, beginning with another one each time: none has the first pick of what a node bears. */
  *#inTurn(): Iterable<Step> {
    if (this.#steps.length === 0) return;
    this.#offset = (this.#offset + 1) % this.#steps.length;
    yield* this.#steps.slice(this.#offset);
    yield* this.#steps.slice(0, this.#offset);
  }

  #take(step: Step, batch: Batch, progress: MoveProgress, nowMs: number): void {
    if (batch.isSettled) return;
    const before = batch.report;
    batch.report = progress;
    batch.heardAtMs = nowMs;
    // Fewer than asked for says nothing: a successor may repeat with another count what the edge has had before.
    if (isWhole(step) || progress.asked - progress.refused <= 0) step.isExhausted = true;
    const { settled, bad } = addedBy(progress, before);
    this.#rates.count(step.plan.to, settled, bad);
    if (progress.isFinal) this.#settle(step, batch);
    if (before === undefined) batch.sentAtMs = Math.max(batch.sentAtMs, nowMs);
  }

  #settle(step: Step, batch: Batch): void {
    for (const { move } of settle(step, batch)) this.#byMove.delete(move);
  }

  #check(step: Step, nowMs: number): void {
    const { from, to } = step.plan;
    if (hasLeft(step, this.#ports.node(from, nowMs))) {
      if (step.dropped === undefined) {
        this.#drop(step, `source ${from} has gone`);
        step.hasGone = true;
      }
      // Nobody will report on these any more; whoever was not moved comes back by itself.
      for (const batch of [...step.batches]) this.#giveUp(step, batch);
      return;
    }
    if (step.dropped !== undefined) return;
    const obstacle = obstacleAt(step, this.#ports.node(to, nowMs), this.#rates.judged(to), this.#options);
    if (obstacle !== undefined) this.#drop(step, obstacle);
  }

  #drop(step: Step, why: string): void {
    if (step.dropped !== undefined || isOver(step)) return;
    step.dropped = why;
    for (const batch of step.batches) {
      if (batch.isSettled) continue;
      this.#cancel(step, batch);
    }
  }

  #cancel(step: Step, batch: Batch): void {
    this.#ports.send(step.plan.from, { command: 'cancel', move: batch.move }, () => {});
  }

  #giveUp(step: Step, batch: Batch): void {
    if (batch.isSettled) return;
    const report = batch.report;
    if (report !== undefined) {
      const open = Math.max(0, report.asked - report.refused - settledOf(report));
      batch.report = { ...report, timedOut: report.timedOut + open, isFinal: true };
    }
    this.#settle(step, batch);
    if (step.batches.length === 0) step.delay.giveUp();
  }

  #chase(step: Step, nowMs: number): void {
    const { pace } = this.#options;
    for (const batch of [...step.batches]) {
      if (batch.isSettled) continue;
      const longestMs = this.plan.moveDeadlineMs + (batch.count / leastPerSecond(pace)) * 1000;
      const next = chase(batch, longestMs, this.#options, nowMs);
      if (next === 'ask') {
        // An edge answers a repeat with what has come of it, and so it does when something is taken back.
        batch.heardAtMs = nowMs;
        if (step.dropped === undefined) this.#transmit(step, batch);
        else this.#cancel(step, batch);
      }
      if (next === 'resend') {
        batch.resends += 1;
        batch.sentAtMs = nowMs;
        // One that was taken back before it was heard of is not sent again.
        if (step.dropped === undefined) this.#transmit(step, batch);
        else this.#cancel(step, batch);
      }
      if (next === 'drop') this.#drop(step, `source ${step.plan.from} does not report`);
      // The edge may be slower than was to be expected, and sends no more of what nobody follows.
      if (next === 'give-up') this.#cancel(step, batch);
      if (next === 'drop' || next === 'give-up') this.#giveUp(step, batch);
    }
  }

  #addUnderWay({ plan: { from, to } }: Step, count: number): void {
    this.#underWay.set(from, (this.#underWay.get(from) ?? 0) + count);
    this.#underWay.set(to, (this.#underWay.get(to) ?? 0) + count);
  }

  #advance(step: Step, nowMs: number): void {
    if (step.dropped !== undefined || step.isExhausted) return;
    const last = step.batches.at(-1);
    if (last !== undefined && last.report === undefined) return;
    const { from, to, count: planned, closesPerSecond } = step.plan;
    // Each command is paced by itself, so one at a time keeps the rate.
    if (last !== undefined && closesPerSecond !== undefined) return;
    const target = this.#ports.node(to, nowMs);
    if (target === undefined) return;
    const sum = sumOf(step);
    const left = planned - (sum.asked - sum.refused);
    if (left <= 0) {
      step.isExhausted = true;
      return;
    }
    const source = this.#rates.of(from, nowMs);
    const sink = this.#rates.of(to, nowMs);
    const perSecond = Math.min(source.perSecond, sink.perSecond);
    const window = Math.min(
      source.window - (this.#underWay.get(from) ?? 0),
      sink.window - (this.#underWay.get(to) ?? 0),
    );
    const allowed = Math.min(source.available(nowMs), sink.available(nowMs), window);
    if (allowed < Math.min(left, Math.max(1, Math.floor(perSecond / 10)))) return;
    const most = closesPerSecond === undefined ? this.#options.maxBatch : Math.ceil(closesPerSecond);
    const count = isWhole(step) ? left : Math.min(left, allowed, most);
    const taken = isWhole(step) ? allowed : count;
    source.take(taken, nowMs);
    sink.take(taken, nowMs);
    this.#addUnderWay(step, taken);
    const move = batchName(this.plan, step.index, step.next);
    const batch = makeBatch(move, this.plan, step.plan, { target: target.stats, count, perSecond }, nowMs);
    step.next += 1;
    step.batches.push(batch);
    this.#byMove.set(move, { step, batch });
    this.#transmit(step, batch);
  }

  #transmit(step: Step, batch: Batch): void {
    this.#ports.send(step.plan.from, batch.command, () => {
      if (batch.isSettled || batch.report !== undefined) return;
      this.#drop(step, `source ${step.plan.from} takes no commands`);
      this.#giveUp(step, batch);
    });
  }

  #finish(): void {
    if (this.#state === 'stopping') this.#state = 'aborted';
    else if (this.#state === 'running') [this.#state, this.#why] = outcomeOf(this.plan, this.#steps);
  }
}

/** How a plan ends whose steps are all over, and why. What the front has brought back is no failure: nothing else was to be had. */
function outcomeOf(plan: Plan, steps: readonly Step[]): ['done' | 'partial', string] {
  let missed = 0;
  let pinned = 0;
  let moved = 0;
  let closed = 0;
  let left = 0;
  for (const step of steps) {
    const sum = sumOf(step);
    pinned += sum.pinned;
    left += leftOf(sum);
    moved += sum.done;
    missed += Math.max(0, (step.plan.isEstimate ? sum.asked - sum.refused : step.plan.count) - sum.done);
    if (step.plan.closesPerSecond !== undefined) closed += sum.done;
  }
  missed = Math.max(0, missed - pinned - left);
  const all = closed > 0 ? `${closed} pinned by the front were closed` : 'all moved';
  const said = (why: string) => {
    const others = [
      ...(pinned === 0 ? [] : [`${pinned} pinned by the front`]),
      ...(left === 0 ? [] : [`${left} left by themselves`]),
    ];
    return others.length === 0 ? why : [why === all ? `${moved} moved` : why, ...others].join(', ');
  };
  const dropped = steps.find((step) => step.dropped !== undefined)?.dropped;
  if (plan.kind === 'drain' && steps.every((step) => step.dropped === undefined || step.hasGone)) {
    // A node that drains to shut down leaves when it is empty, perhaps before its last report.
    const isDone = missed === 0 || dropped !== undefined;
    return [
      isDone ? 'done' : 'partial',
      said(missed === 0 ? all : `${missed} ${missed === 1 ? 'was' : 'were'} not reported as moved`),
    ];
  }
  const why = dropped ?? (missed === 0 ? all : `${missed} were not moved`);
  return [missed === 0 && dropped === undefined ? 'done' : 'partial', said(why)];
}
