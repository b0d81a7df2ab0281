import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Delays } from './delays.js';
import type {
  FleetCheck,
  FleetMember,
  Incident,
  WorkerAnswer,
  WorkerCommand,
  WorkerReport,
} from './messages.js';
import { until } from './until.js';

export interface FleetOptions {
  readonly gatewayUrl: string;
  readonly clients: number;
  /** Child processes that share the clients. Default 1. */
  readonly workers?: number;
  /** The user id of client number `n`, from 0. Default `client-<n>`. */
  readonly users?: (n: number) => string;
  /** The clients begin evenly spread over this long. Default: 300 a second. */
  readonly arriveWithinMs?: number;
  /** What each client's `beforeMove` waits. Default 0: none is set. */
  readonly beforeMoveMs?: number;
}

/** What a fleet has seen so far; what each count means is told at {@link WorkerReport}. */
export interface FleetStats
  extends Omit<WorkerReport, 'delays' | 'delaysInMoves' | 'moveTimes' | 'connectTimes'> {
  readonly connected: number;
  readonly delays: Delays;
  readonly delaysInMoves: Delays;
  readonly moveTimes: Delays;
  readonly connectTimes: Delays;
}

/** Thousands of SDK clients in child processes, each with a checker of what its application got. */
export interface Fleet {
  readonly users: readonly string[];
  /** Resolves when every client is connected; rejects after `timeoutMs`, telling how many are not and why. */
  connected(timeoutMs?: number): Promise<void>;
  stats(): Promise<FleetStats>;
  /** Connected clients by node. */
  nodes(): Promise<Record<string, number>>;
  /** Compares what came with what was sent: `sent[n]` is the last sequence number of client `n`. */
  check(sent: Uint32Array): Promise<FleetCheck>;
  /** The node that each client is on, or was on last; by client number. */
  whereabouts(): Promise<string[]>;
  /** Begins the counts of statuses, delays and dials anew; sequences, moves and nodes stay. */
  reset(): Promise<void>;
  /** Closes every client and ends the child processes, by force after 5 s. */
  stop(): Promise<void>;
}

const answerTimeoutMs = 30_000;
const stopTimeoutMs = 5_000;

/** Starts a fleet; resolves when the child processes have begun to connect their clients. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { gatewayUrl, clients, workers: workerCount = 1, beforeMoveMs = 0 } = options;
  const arriveWithinMs = options.arriveWithinMs ?? (clients / 300) * 1_000;
  const users = Array.from({ length: clients }, (_, n) => options.users?.(n) ?? `client-${n}`);
  const workers = Array.from({ length: workerCount }, () => new Worker());
  const reports = () => Promise.all(workers.map((worker) => worker.ask<WorkerReport>({ kind: 'report' })));

  const fleet: Fleet = {
    users,
    async connected(timeoutMs = 120_000) {
      let stats: FleetStats | undefined;
      const isIn = await until(timeoutMs, 200, async () => {
        stats = await fleet.stats();
        return stats.connected === clients;
      });
      if (isIn) return;
      const why = JSON.stringify(stats?.connectFailures ?? {});
      throw new Error(
        `${stats?.connected ?? 0} of ${clients} clients were connected after ${timeoutMs / 1_000} s; failed attempts: ${why}`,
      );
    },
    stats: async () => merged(await reports()),
    nodes: async () => (await fleet.stats()).perNode,
    async check(sent) {
      const parts = await Promise.all(
        workers.map((worker) => worker.ask<FleetCheck>({ kind: 'check', sent })),
      );
      const sum = (field: Exclude<keyof FleetCheck, 'faulty'>) =>
        parts.reduce((total, part) => total + part[field], 0);
      return {
        clients: sum('clients'),
        delivered: sum('delivered'),
        lost: sum('lost'),
        repeated: sum('repeated'),
        reordered: sum('reordered'),
        misrouted: sum('misrouted'),
        faulty: parts.flatMap(({ faulty }) => faulty),
      };
    },
    async whereabouts() {
      const nodes = new Array<string>(clients).fill('');
      const parts = await Promise.all(
        workers.map((worker) => worker.ask<[number, string][]>({ kind: 'whereabouts' })),
      );
      for (const [n, node] of parts.flat()) nodes[n] = node;
      return nodes;
    },
    reset: async () => void (await Promise.all(workers.map((worker) => worker.ask({ kind: 'reset' })))),
    stop: async () => void (await Promise.all(workers.map((worker) => worker.stop()))),
  };

  const shares: FleetMember[][] = workers.map(() => []);
  for (const [n, user] of users.entries()) shares[n % workerCount]?.push({ n, user });
  try {
    await Promise.all(
      workers.map((worker, index) =>
        worker.ask({
          kind: 'start',
          gatewayUrl,
          members: shares[index] ?? [],
          arriveWithinMs,
          beforeMoveMs,
        }),
      ),
    );
  } catch (error) {
    await fleet.stop();
    throw error;
  }
  return fleet;
}

/** A child process and the questions it has not answered yet. */
class Worker {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #lastId = 0;
  #end: string | undefined;

  constructor() {
    const path = fileURLToPath(new URL('./worker.js', import.meta.url));
    this.#child = fork(path, [], {
      serialization: 'advanced',
      execArgv: ['--enable-source-maps'],
      // Standard output is the tool's.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    this.#child.on('message', ({ id, value }: WorkerAnswer) => {
      this.#waiting.get(id)?.resolve(value);
      this.#waiting.delete(id);
    });
    const ended = (how: string): void => {
      this.#end ??= how;
      for (const { reject } of this.#waiting.values()) reject(this.#gone());
      this.#waiting.clear();
    };
    this.#child.on('error', (error) => ended(error.message));
    this.#child.on('exit', (code, signal) => ended(signal ?? `exit status ${code}`));
  }

  async ask<Value>(command: WorkerCommand): Promise<Value> {
    if (this.#end !== undefined) throw this.#gone();
    const id = ++this.#lastId;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    const timer = setTimeout(() => {
      this.#waiting.get(id)?.reject(new Error(`a worker did not answer within ${answerTimeoutMs / 1_000} s`));
    }, answerTimeoutMs);
    this.#child.send({ ...command, id });
    try {
      return (await answer) as Value;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  async stop(): Promise<void> {
    if (this.#end !== undefined) return;
    const exit = once(this.#child, 'exit');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopTimeoutMs);
    // It may end before it answers.
    this.ask({ kind: 'stop' }).catch(() => undefined);
    await exit;
    clearTimeout(timer);
  }

  #gone(): Error {
    return new Error(`a worker of the fleet has ended (${this.#end})`);
  }
}

function merged(reports: readonly WorkerReport[]): FleetStats {
  const sum = (pick: (report: WorkerReport) => number) =>
    reports.reduce((total, report) => total + pick(report), 0);
  const counts = (pick: (report: WorkerReport) => Record<string, number>) => {
    const all: Record<string, number> = {};
    for (const report of reports) addTo(all, pick(report));
    return all;
  };
  const delays = (pick: 'delays' | 'delaysInMoves' | 'moveTimes' | 'connectTimes') => {
    const all = new Delays();
    for (const report of reports) all.merge(report[pick]);
    return all;
  };
  const clientsByMoves: number[] = [];
  const dials: Record<string, Record<number, number>> = {};
  const incidents: Incident[] = [];
  for (const report of reports) {
    for (const [moves, n] of report.clientsByMoves.entries())
      clientsByMoves[moves] = (clientsByMoves[moves] ?? 0) + n;
    for (const [host, seconds] of Object.entries(report.dials)) {
      dials[host] ??= {};
      addTo(dials[host], seconds);
    }
    incidents.push(...report.incidents);
  }
  const perNode = counts((report) => report.perNode);
  return {
    clients: sum((report) => report.clients),
    connected: Object.values(perNode).reduce((total, n) => total + n, 0),
    perNode,
    received: sum((report) => report.received),
    repeated: sum((report) => report.repeated),
    reordered: sum((report) => report.reordered),
    misrouted: sum((report) => report.misrouted),
    disconnects: sum((report) => report.disconnects),
    closed: sum((report) => report.closed),
    moves: sum((report) => report.moves),
    returns: sum((report) => report.returns),
    connectFailures: counts((report) => report.connectFailures),
    gaps: counts((report) => report.gaps),
    movesFailed: counts((report) => report.movesFailed),
    clientsByMoves,
    dials,
    eventsPerNode: counts((report) => report.eventsPerNode),
    delays: delays('delays'),
    delaysInMoves: delays('delaysInMoves'),
    moveTimes: delays('moveTimes'),
    connectTimes: delays('connectTimes'),
    incidents: incidents.sort((a, b) => a.atMs - b.atMs),
  };
}

function addTo(sums: Record<string, number>, counts: Record<string, number>): void {
  for (const [key, n] of Object.entries(counts)) sums[key] = (sums[key] ?? 0) + n;
}
