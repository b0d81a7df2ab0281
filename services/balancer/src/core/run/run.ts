import type { CommandOf, MoveProgress, MoveReport } from '@evenkeel/protocol';
import type { NodeView } from '../cluster/state.js';
import type { Plan, PlanState, StepProgress } from '../plan/plan.js';
import { Flow } from './delay.js';
import type { PaceMemory, PaceOptions } from './node-rate.js';
import { Paces } from './rates.js';
import {
  add,
  type Batch,
  badOf,
  countsOf,
  isSettled,
  isWhole,
  noCounts,
  type Step,
  settledOf,
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

export interface RunOptions {
  pace: PaceOptions;
  /** A command that no report has mentioned for this long is sent again, … */
  resendAfterMs: number;
  /** … this often. */
  maxResends: number;
  /** Sessions a command names at most. */
  maxBatch: number;
  /** A target is given up when at least `judgedFrom` moves to it are settled and this share has failed. */
  maxFailedRatio: number;
  judgedFrom: number;
}

export const runDefaults: Omit<RunOptions, 'pace'> = {
  resendAfterMs: 1500,
  maxResends: 4,
  maxBatch: 500,
  maxFailedRatio: 0.3,
  judgedFrom: 20,
};

/** What must outlive the leader. Batch ids follow from it, so a repeat of one is recognised by the edge. */
export interface RunSnapshot {
  readonly state: PlanState;
  readonly steps: readonly {
    readonly boot: string;
    /** Batches all of whose moves are settled. */
    readonly settledBatches: number;
    readonly progress: StepProgress;
  }[];
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
  readonly #steps: Step[];
  readonly #byMove = new Map<string, { step: Step; batch: Batch }>();
  readonly #paces: Paces;
  /** Moves under way by node, in or out. */
  readonly #underWay = new Map<string, number>();
  #state: PlanState = 'running';
  #why = '';
  #offset = 0;

  constructor(plan: Plan, ports: RunPorts, options: RunOptions, nowMs: number, snapshot?: RunSnapshot) {
    this.plan = plan;
    this.#ports = ports;
    this.#options = options;
    this.#paces = new Paces(options.pace, (node) => ports.paceOf?.(node, nowMs));
    if (snapshot !== undefined) this.#state = snapshot.state;
    this.#steps = plan.steps.map((step, index) => {
      const saved = snapshot?.steps[index];
      return {
        index,
        plan: step,
        boot: saved?.boot ?? ports.node(step.from, nowMs)?.stats.boot ?? '',
        batches: [],
        flow: new Flow(),
        next: saved?.settledBatches ?? 0,
        base: saved === undefined ? noCounts() : countsOf(saved.progress),
        isExhausted: (saved?.settledBatches ?? 0) > 0 && step.load !== undefined,
        dropped: saved?.progress.dropped,
        hasGone: false,
      };
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
    const fresh = new Map<Step, { sent: number; settled: number }>();
    for (const progress of report.moves) {
      const known = this.#byMove.get(progress.move);
      if (known === undefined || known.step.plan.from !== report.node || known.step.boot !== report.boot)
        continue;
      const { step, batch } = known;
      const { sent = 0, settled = 0 } = fresh.get(step) ?? {};
      const before = batch.report;
      fresh.set(step, {
        sent: sent + Math.max(0, progress.sent - (before?.sent ?? 0)),
        settled: settled + Math.max(0, settledOf(progress) - (before === undefined ? 0 : settledOf(before))),
      });
      this.#take(step, batch, progress, nowMs);
    }
    for (const [step, { sent, settled }] of fresh) step.flow.observe(sent, settled, report.at, nowMs);
  }

  /** Does what is due. Call it several times a second. */
  tick(nowMs: number): void {
    if (this.isOver) return;
    this.#paces.feed((node) => this.#ports.node(node, nowMs), nowMs);
    this.#paces.steer(
      this.#steps
        .filter((step) => step.batches.length > 0)
        .map(({ plan: { from, to }, flow }) => ({ from, to, flow })),
      nowMs,
    );
    this.#countUnderWay();
    const { endsBy } = this.plan;
    if (endsBy !== undefined && nowMs >= endsBy && this.#state !== 'stopping') this.abort('deadline passed');
    let isBusy = false;
    const count = this.#steps.length;
    this.#offset = count === 0 ? 0 : (this.#offset + 1) % count;
    for (let k = 0; k < count; k++) {
      const step = this.#steps[(k + this.#offset) % count] as Step;
      if (isSettled(step)) continue;
      this.#check(step, nowMs);
      this.#chase(step, nowMs);
      if (this.#state === 'running') this.#advance(step, nowMs);
      if (!isSettled(step)) isBusy = true;
    }
    if (!isBusy) this.#finish();
  }

  progress(): StepProgress[] {
    return this.#steps.map((step) => {
      const sum = sumOf(step);
      const { from, to, count } = step.plan;
      return { from, to, count, ...sum, ...(step.dropped === undefined ? {} : { dropped: step.dropped }) };
    });
  }

  /** Moves a second that the plan's nodes allow at present, the slowest way in or out deciding. */
  ratePerSecond(): number {
    let into = 0;
    const from = new Set<string>();
    const to = new Set<string>();
    let out = 0;
    for (const step of this.#steps) {
      if (isSettled(step)) continue;
      if (!from.has(step.plan.from)) out += this.#paces.of(step.plan.from, 0).perSecond;
      if (!to.has(step.plan.to)) into += this.#paces.of(step.plan.to, 0).perSecond;
      from.add(step.plan.from);
      to.add(step.plan.to);
    }
    return Math.min(into, out);
  }

  /** What was found out about the pace that each node bears. */
  paces(): [string, PaceMemory][] {
    return this.#paces.memories();
  }

  snapshot(): RunSnapshot {
    return {
      state: this.#state,
      steps: this.#steps.map((step) => ({
        boot: step.boot,
        settledBatches: step.next - step.batches.length,
        progress: {
          from: step.plan.from,
          to: step.plan.to,
          count: step.plan.count,
          ...step.base,
          ...(step.dropped === undefined ? {} : { dropped: step.dropped }),
        },
      })),
    };
  }

  #take(step: Step, batch: Batch, progress: MoveProgress, nowMs: number): void {
    if (batch.isSettled) return;
    const before = batch.report;
    batch.report = progress;
    // Fewer than asked for says nothing: a successor may repeat with another count what the edge has had before.
    if (isWhole(step) || progress.asked - progress.refused <= 0) step.isExhausted = true;
    const fresh = settledOf(progress) - (before === undefined ? 0 : settledOf(before));
    const bad = badOf(progress) - (before === undefined ? 0 : badOf(before));
    this.#paces.count(step.plan.to, Math.max(0, fresh), Math.max(0, bad));
    if (progress.isFinal) this.#settle(step, batch);
    batch.sentAtMs = Math.max(batch.sentAtMs, before === undefined ? nowMs : batch.sentAtMs);
  }

  #settle(step: Step, batch: Batch): void {
    batch.isSettled = true;
    // Forgotten in order only: the successor goes on with the first that is not settled.
    for (let first = step.batches[0]; first?.isSettled; first = step.batches[0]) {
      const report = first.report;
      if (report !== undefined) add(step.base, report);
      this.#byMove.delete(first.move);
      step.batches.shift();
    }
  }

  #check(step: Step, nowMs: number): void {
    if (step.dropped !== undefined) {
      const source = this.#ports.node(step.plan.from, nowMs);
      if (source === undefined || source.phase === 'gone' || source.stats.boot !== step.boot)
        this.#void(step);
      return;
    }
    const source = this.#ports.node(step.plan.from, nowMs);
    if (source === undefined || source.phase === 'gone' || source.stats.boot !== step.boot) {
      this.#drop(step, `source ${step.plan.from} has gone`);
      step.hasGone = true;
      this.#void(step);
      return;
    }
    const target = this.#ports.node(step.plan.to, nowMs);
    if (target === undefined || (target.phase !== 'active' && target.phase !== 'joining')) {
      this.#drop(step, `target ${step.plan.to} is ${target?.phase ?? 'gone'}`);
      return;
    }
    const judged = this.#paces.judged(step.plan.to);
    const { judgedFrom, maxFailedRatio } = this.#options;
    if (judged.settled >= judgedFrom && judged.bad / judged.settled > maxFailedRatio) {
      this.#drop(step, `target ${step.plan.to} fails ${judged.bad} of ${judged.settled} moves`);
    }
  }

  #drop(step: Step, why: string): void {
    if (step.dropped !== undefined || isSettled(step)) return;
    step.dropped = why;
    for (const batch of step.batches) {
      if (batch.isSettled) continue;
      this.#ports.send(step.plan.from, { command: 'cancel', move: batch.move }, () => {});
    }
  }

  /** Nobody will report on these any more; whoever was not moved comes back by itself. */
  #void(step: Step): void {
    for (const batch of [...step.batches]) this.#giveUp(step, batch);
  }

  #giveUp(step: Step, batch: Batch): void {
    if (batch.isSettled) return;
    const report = batch.report;
    if (report !== undefined) {
      const open = Math.max(0, report.asked - report.refused - settledOf(report));
      batch.report = { ...report, timedOut: report.timedOut + open, isFinal: true };
    }
    this.#settle(step, batch);
    if (step.batches.length === 0) step.flow.giveUp();
  }

  #chase(step: Step, nowMs: number): void {
    const { resendAfterMs, maxResends } = this.#options;
    for (const batch of [...step.batches]) {
      if (batch.isSettled) continue;
      const silentMs = nowMs - batch.sentAtMs;
      if (batch.report === undefined) {
        if (silentMs < resendAfterMs) continue;
        if (batch.resends >= maxResends) {
          this.#drop(step, `source ${step.plan.from} does not report`);
          this.#giveUp(step, batch);
        } else {
          batch.resends += 1;
          batch.sentAtMs = nowMs;
          this.#transmit(step, batch);
        }
      } else if (
        silentMs >
        this.plan.moveDeadlineMs + 5000 + (batch.count / this.#options.pace.minPerSecond) * 1000
      ) {
        this.#giveUp(step, batch);
      }
    }
  }

  #countUnderWay(): void {
    this.#underWay.clear();
    for (const step of this.#steps) if (step.batches.length > 0) this.#addUnderWay(step, underWayOf(step));
  }

  #addUnderWay({ plan: { from, to } }: Step, count: number): void {
    this.#underWay.set(from, (this.#underWay.get(from) ?? 0) + count);
    this.#underWay.set(to, (this.#underWay.get(to) ?? 0) + count);
  }

  #advance(step: Step, nowMs: number): void {
    if (step.dropped !== undefined || step.isExhausted) return;
    const last = step.batches.at(-1);
    if (last !== undefined && last.report === undefined) return;
    const target = this.#ports.node(step.plan.to, nowMs);
    if (target === undefined) return;
    const sum = sumOf(step);
    const left = step.plan.count - (sum.asked - sum.refused);
    if (left <= 0) {
      step.isExhausted = true;
      return;
    }
    const source = this.#paces.of(step.plan.from, nowMs);
    const sink = this.#paces.of(step.plan.to, nowMs);
    const perSecond = Math.min(source.perSecond, sink.perSecond);
    const window = Math.min(
      source.window - (this.#underWay.get(step.plan.from) ?? 0),
      sink.window - (this.#underWay.get(step.plan.to) ?? 0),
    );
    const allowed = Math.min(source.available(nowMs), sink.available(nowMs), window);
    const whole = isWhole(step);
    if (allowed < Math.min(left, Math.max(1, Math.floor(perSecond / 10)))) return;
    const count = whole ? left : Math.min(left, allowed, this.#options.maxBatch);
    source.take(whole ? allowed : count);
    sink.take(whole ? allowed : count);
    this.#addUnderWay(step, whole ? allowed : count);
    const move = `${this.plan.id}.${step.index}.${step.next}`;
    const command: CommandOf<'reconnect'> = {
      command: 'reconnect',
      move,
      to: { node: step.plan.to, url: target.stats.url },
      count,
      ratePerSecond: Math.max(1, Math.round(perSecond)),
      deadlineMs: this.plan.moveDeadlineMs,
      reason: this.plan.kind,
      ...(this.plan.ring === undefined ? {} : { ring: this.plan.ring }),
      ...(step.plan.load === undefined
        ? {}
        : {
            by: this.plan.load === 'bytes' ? ('bytes' as const) : ('events' as const),
            load: step.plan.load,
          }),
    };
    const batch: Batch = {
      move,
      count,
      sentAtMs: nowMs,
      resends: 0,
      command,
      report: undefined,
      isSettled: false,
    };
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
    if (this.#state === 'stopping') {
      this.#state = 'aborted';
      return;
    }
    if (this.#state === 'paused') return;
    const dropped = this.#steps.find((step) => step.dropped !== undefined);
    let missed = 0;
    for (const step of this.#steps) {
      const sum = sumOf(step);
      missed += Math.max(0, (step.plan.isEstimate ? sum.asked - sum.refused : step.plan.count) - sum.done);
    }
    if (
      this.plan.kind === 'drain' &&
      this.#steps.every((step) => step.dropped === undefined || step.hasGone)
    ) {
      // A node that drains to shut down leaves when it is empty, perhaps before its last report.
      this.#state = missed === 0 || dropped !== undefined ? 'done' : 'partial';
      this.#why = missed === 0 ? 'all moved' : `${missed} were not reported as moved`;
      return;
    }
    this.#state = missed === 0 && dropped === undefined ? 'done' : 'partial';
    this.#why = dropped?.dropped ?? (missed === 0 ? 'all moved' : `${missed} were not moved`);
  }
}
