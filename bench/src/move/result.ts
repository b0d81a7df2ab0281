import { Delays } from '../fleet/delays.js';
import type { WorkerReport } from './messages.js';
import type { MoveOptions } from './options.js';

export interface DelaySummary {
  count: number;
  p50: number;
  p99: number;
  max: number;
}

const round = (ms: number): number => Math.round(ms * 100) / 100;

/** The result of a run; `--json` prints it. */
export interface MoveResult {
  fault: string;
  sessions: number;
  controlSessions: number;
  edges: number;
  seconds: number;
  broker: string;
  persistent: boolean;
  moves: number;
  movesFailed: number;
  minMovesPerSession: number;
  movesPerSecond: number;
  published: number;
  delivered: number;
  lost: number;
  repeated: number;
  repeatedOnWire: number;
  reordered: number;
  gaps: number;
  /** Times a session had no socket at all. */
  disconnected: number;
  socketlessMs: { max: number };
  delayMs: {
    control: DelaySummary;
    moved: DelaySummary;
    /** Of moved sessions: events published between `move` and the first moment on the new socket. */
    duringMove: DelaySummary;
    /** Of control sessions, while moves of others were under way. */
    controlDuring: DelaySummary;
  };
  /**
   * Until everybody is connected and nothing waits: from the fault, or from the end of one that lasts (the clients'
   * faults, which go on for five sixths of the run). Null: no fault, or not within 60 s.
   */
  recoverySeconds: number | null;
  replays: { refused: number; accepted: number };
}

export function summarise(
  options: MoveOptions,
  broker: string,
  seconds: number,
  published: number,
  recoverySeconds: number | null,
  reports: WorkerReport[],
): MoveResult {
  const sum = (of: (report: WorkerReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  const delays = (name: keyof WorkerReport['delays']): DelaySummary => {
    const all = new Delays();
    for (const report of reports) all.merge(report.delays[name]);
    return {
      count: all.count,
      p50: round(all.quantileMs(0.5)),
      p99: round(all.quantileMs(0.99)),
      max: round(all.maxMs),
    };
  };
  return {
    fault: options.fault,
    sessions: options.sessions,
    controlSessions: options.control,
    edges: options.edges,
    seconds: Math.round(seconds * 10) / 10,
    broker,
    persistent: options.persistent,
    moves: sum((report) => report.moves),
    movesFailed: sum((report) => report.movesFailed),
    minMovesPerSession: Math.min(...reports.map((report) => report.minMovesPerSession)),
    movesPerSecond: Math.round(sum((report) => report.moves) / seconds),
    published,
    delivered: sum((report) => report.received),
    lost: sum((report) => report.lost),
    repeated: sum((report) => report.repeated),
    repeatedOnWire: sum((report) => report.repeatedOnWire),
    reordered: sum((report) => report.reordered),
    gaps: sum((report) => report.gaps),
    disconnected: sum((report) => report.disconnected),
    socketlessMs: { max: Math.round(Math.max(...reports.map((report) => report.socketlessMaxMs))) },
    delayMs: {
      control: delays('control'),
      moved: delays('moved'),
      duringMove: delays('duringMove'),
      controlDuring: delays('controlDuring'),
    },
    recoverySeconds,
    replays: {
      refused: sum((report) => report.replaysRefused),
      accepted: sum((report) => report.replaysAccepted),
    },
  };
}

/** Nothing lost, repeated or reordered, and no replayed ticket let in. */
export const isExact = (result: MoveResult): boolean =>
  result.published > 0 &&
  result.lost === 0 &&
  result.repeated === 0 &&
  result.reordered === 0 &&
  result.replays.accepted === 0;

export function printable(result: MoveResult): string {
  const row = (name: string, value: unknown) => `${name.padEnd(34)}${value}`;
  const delay = (d: DelaySummary) => `p50 ${d.p50}  p99 ${d.p99}  max ${d.max}  (${d.count} events)`;
  return [
    row('fault', result.fault),
    row(
      'sessions moved / never moved',
      `${result.sessions} / ${result.controlSessions} on ${result.edges} edges`,
    ),
    row('moves done / failed', `${result.moves} / ${result.movesFailed}`),
    row('moves a second', result.movesPerSecond),
    row('moves of the least moved session', result.minMovesPerSession),
    row('published / delivered', `${result.published} / ${result.delivered}`),
    row('lost', result.lost),
    row('repeated (application / wire)', `${result.repeated} / ${result.repeatedOnWire}`),
    row('reordered', result.reordered),
    row('gaps', result.gaps),
    row('longest time without a socket, ms', result.socketlessMs.max),
    row('delay of control sessions, ms', delay(result.delayMs.control)),
    row('  while others move', delay(result.delayMs.controlDuring)),
    row('delay of moved sessions, ms', delay(result.delayMs.moved)),
    row('  published during a move', delay(result.delayMs.duringMove)),
    row('added at p99, ms', Math.round((result.delayMs.moved.p99 - result.delayMs.control.p99) * 100) / 100),
    row('seconds to recover', result.recoverySeconds ?? '-'),
    ...(result.fault === 'replay-ticket'
      ? [row('replayed tickets refused / let in', `${result.replays.refused} / ${result.replays.accepted}`)]
      : []),
  ].join('\n');
}
