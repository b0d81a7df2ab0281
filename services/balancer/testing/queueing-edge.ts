import { Fifo } from '@evenkeel/pace';
import type { CommandOf, MoveProgress } from '@evenkeel/protocol';
import { ClusterState } from '../src/core/cluster/state.js';
import { type PaceOptions, paceDefaults } from '../src/core/run/node-rate.js';
import { PlanRun, runDefaults } from '../src/core/run/run.js';
import { planOf } from './plans.js';
import { statsOf } from './stats.js';

export interface QueueingOptions {
  /** Moves a second that get through at most; may change with time. */
  perSecond(elapsedMs: number): number;
  /** What a move takes when it has nothing to wait for. */
  baseMs: number;
  count: number;
  pace?: Partial<PaceOptions>;
  /** From 0 to 1: how much service times vary. */
  random?: () => number;
}

export interface Queued {
  /** Delay of each move by the order of their ends, ms. */
  readonly moves: { endedAtMs: number; delayMs: number }[];
  readonly tookMs: number;
  readonly state: string;
  /** Most moves sent within any second. */
  readonly mostPerSecond: number;
}

const STEP_MS = 5;

/** Carries out one plan against two edges that share one queue, with the reports and delays of the real thing. */
export function playQueueing(options: QueueingOptions): Queued {
  const { perSecond, baseMs, count, random = () => 0.5 } = options;
  const view = new ClusterState();
  let nowMs = 0;
  const inbox = new Fifo<{ atMs: number; command: CommandOf<'reconnect'> }>();
  const departures: { rate: number; credit: number; waiting: number; progress: MoveProgress }[] = [];
  const queue = new Fifo<{ sentAtMs: number; progress: MoveProgress }>();
  const leaving = new Fifo<{ atMs: number; sentAtMs: number; progress: MoveProgress }>();
  const changed = new Set<MoveProgress>();
  const moves: { endedAtMs: number; delayMs: number }[] = [];
  const sentAtMs: number[] = [];
  let reportAtMs = Number.POSITIVE_INFINITY;
  let seq = 0;
  let credit = 0;
  let lastSecond: number[] = [];
  const speak = () => {
    seq += 1;
    const sorted = lastSecond.sort((a, b) => a - b);
    lastSecond = [];
    view.observe(statsOf('a', seq, { sessions: count }), nowMs);
    const handshakeP99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
    view.observe(statsOf('b', seq, { handshakeP99Ms }), nowMs);
  };
  speak();
  speak();
  const plan = planOf(count, { moveDeadlineMs: 60_000 });
  const run = new PlanRun(
    plan,
    {
      send: (_, command) => {
        if (command.command === 'reconnect') inbox.push({ atMs: nowMs + 10, command });
      },
      node: (name, atMs) => view.get(name, atMs),
    },
    { ...runDefaults, pace: { ...paceDefaults, ...options.pace } },
    0,
  );
  const change = (progress: MoveProgress) => {
    changed.add(progress);
    reportAtMs = Math.min(reportAtMs, nowMs + 100);
  };
  for (; !run.isOver && nowMs < 600_000; nowMs += STEP_MS) {
    for (const { command } of due(inbox, nowMs)) {
      const asked = command.count ?? 0;
      const none = { sent: 0, done: 0, failed: 0, timedOut: 0, refused: 0, isFinal: false };
      const progress = { move: command.move, to: 'b', asked, ...none };
      departures.push({ rate: command.ratePerSecond ?? 200, credit: 1, waiting: asked, progress });
      change(progress);
    }
    for (const each of departures) {
      each.credit = Math.min(Math.max(1, each.rate / 20), each.credit + (each.rate * STEP_MS) / 1000);
      for (; each.waiting > 0 && each.credit >= 1; each.credit -= 1) {
        each.waiting -= 1;
        each.progress.sent += 1;
        sentAtMs.push(nowMs);
        queue.push({ sentAtMs: nowMs, progress: each.progress });
        change(each.progress);
      }
    }
    credit = Math.min(credit, 1) + (perSecond(nowMs) * STEP_MS * (0.5 + random())) / 1000;
    for (let next = queue.peek(); next !== undefined && credit >= 1; next = queue.peek()) {
      leaving.push({ atMs: nowMs + baseMs, ...next });
      queue.shift();
      credit -= 1;
    }
    for (const { sentAtMs, progress } of due(leaving, nowMs)) {
      progress.done += 1;
      progress.isFinal = progress.done === progress.asked;
      moves.push({ endedAtMs: nowMs, delayMs: nowMs - sentAtMs });
      lastSecond.push(nowMs - sentAtMs);
      change(progress);
    }
    if (nowMs >= reportAtMs) {
      reportAtMs = Number.POSITIVE_INFINITY;
      const report = { v: 1 as const, node: 'a', boot: 'a-1', at: 1_000_000 + nowMs };
      run.report({ ...report, moves: [...changed].map((each) => ({ ...each })) }, nowMs);
      changed.clear();
    }
    if (nowMs % 1000 === 0) speak();
    if (nowMs % 100 === 0) run.tick(nowMs);
  }
  return { moves, tookMs: nowMs, state: run.state, mostPerSecond: mostWithinASecond(sentAtMs) };
}

/** Takes out those whose time has come; the list is in order of time. */
function* due<T extends { atMs: number }>(list: Fifo<T>, nowMs: number): Iterable<T> {
  for (let next = list.peek(); next !== undefined && next.atMs <= nowMs; next = list.peek()) {
    list.shift();
    yield next;
  }
}

/** Most of these ascending times that lie within any second. */
function mostWithinASecond(timesMs: readonly number[]): number {
  const window = new Fifo<number>();
  let most = 0;
  for (const atMs of timesMs) {
    window.push(atMs);
    while (atMs - (window.peek() ?? atMs) >= 1000) window.shift();
    most = Math.max(most, window.length);
  }
  return most;
}
