import { addTo, type Counts } from './counts.js';
import { Delays } from './delays.js';
import {
  type ClientFault,
  type ClientLosses,
  type DelayKind,
  type Deliveries,
  delayKinds,
  type FleetCheck,
  type FleetMember,
  type Incident,
  type MovePace,
  type NodeAddress,
  type Numbering,
  type WorkerProgress,
  type WorkerReport,
} from './messages.js';
import { until } from './until.js';
import { Worker } from './worker-process.js';

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
  /** Default: the SDK's. */
  readonly ackAfterMs?: number;
  /** The module of the client's SDK. Default: this checkout's. */
  readonly sdk?: string;
  /** The topics of each client. Default: none. */
  readonly topics?: readonly (readonly number[])[];
  /** The address of this machine that client number `n` dials edges from. Default: any. */
  readonly addresses?: (n: number) => string;
  /** The last so many clients are moved by nobody. Default 0. */
  readonly control?: number;
  /** Lets the fleet ask the edges to move its clients; see {@link Fleet.move}. */
  readonly mover?: { readonly amqpUrl: string; readonly edges: readonly NodeAddress[] };
}

/** What a fleet has seen so far; what each count means stands at {@link WorkerReport}. */
interface FleetStats extends Omit<WorkerReport, 'delays'> {
  readonly connected: number;
  readonly delays: Record<DelayKind, Delays>;
}

/** Thousands of SDK clients in child processes, each with a checker of what its application got. */
export interface Fleet {
  readonly users: readonly string[];
  /** As it was a tenth of a second ago at most. */
  readonly progress: WorkerProgress;
  /** Resolves when every client is connected; rejects after `timeoutMs`, telling how many are not and why. */
  connected(timeoutMs?: number): Promise<void>;
  stats(): Promise<FleetStats>;
  /** Connected clients by node. */
  nodes(): Promise<Record<string, number>>;
  /**
   * Compares what came with what was sent: `sent[n]` is the last sequence number of client `n`, and so with topics. `failures`: events
   * whose publisher was told that they may not come.
   */
  check(sent: Uint32Array, topicsSent?: Uint32Array, failures?: readonly Numbering[]): Promise<FleetCheck>;
  /** The node that each client is on, or was on last; by client number. */
  whereabouts(): Promise<string[]>;
  /** How often each client has changed its node, by a move or by coming back elsewhere; by client number. */
  changes(): Promise<number[]>;
  /** What each client has lost since the last reset; by client number. */
  losses(): Promise<ClientLosses[]>;
  /** From now on these are the clients whose delays are told apart (`control`). */
  control(clients: readonly number[]): Promise<void>;
  /** Asks edges for moves at this pace, over all workers, until told otherwise. */
  move(pace: MovePace): Promise<void>;
  /** Makes trouble from the clients' side; undefined: no more. */
  disturb(fault: ClientFault | undefined): Promise<void>;
  /** Begins the counts of statuses, losses, delays, dials and the mover anew; sequences, moves and nodes stay. */
  reset(): Promise<void>;
  /** Closes every client and ends the child processes, by force after 5 s. */
  stop(): Promise<void>;
}

/** Starts a fleet; resolves when the child processes have begun to connect their clients. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { gatewayUrl, clients, workers: workerCount = 1, beforeMoveMs = 0, control = 0, mover } = options;
  const arriveWithinMs = options.arriveWithinMs ?? (clients / 300) * 1_000;
  const users = Array.from({ length: clients }, (_, n) => options.users?.(n) ?? `client-${n}`);
  const workers = Array.from({ length: workerCount }, () => new Worker());
  const reports = () => Promise.all(workers.map((worker) => worker.ask<WorkerReport>({ kind: 'report' })));
  const all = async (command: Parameters<Worker['ask']>[0]) => {
    await Promise.all(workers.map((worker) => worker.ask(command)));
  };
  const ofEach = async <Value>(kind: 'whereabouts' | 'changes' | 'losses', none: Value): Promise<Value[]> => {
    const values = new Array<Value>(clients).fill(none);
    const parts = await Promise.all(workers.map((worker) => worker.ask<[number, Value][]>({ kind })));
    for (const [n, value] of parts.flat()) values[n] = value;
    return values;
  };

  const fleet: Fleet = {
    users,
    get progress() {
      return progressOf(workers);
    },
    async connected(timeoutMs = 120_000) {
      const isIn = await until(timeoutMs, 50, () => fleet.progress.connected === clients);
      if (isIn) return;
      const { connected, connectFailures } = await fleet.stats();
      throw new Error(
        `${connected} of ${clients} clients were connected after ${timeoutMs / 1_000} s; failed attempts: ${JSON.stringify(connectFailures)}`,
      );
    },
    stats: async () => merged(await reports()),
    nodes: async () => (await fleet.stats()).perNode,
    async check(sent, topicsSent = new Uint32Array(), failures = []) {
      const parts = await Promise.all(
        workers.map((worker) => worker.ask<FleetCheck>({ kind: 'check', sent, topicsSent, failures })),
      );
      return {
        clients: sumOf(parts, (part) => part.clients),
        events: addedUp(parts.map((part) => part.events)),
        topics: addedUp(parts.map((part) => part.topics)),
        misrouted: sumOf(parts, (part) => part.misrouted),
        faulty: parts.flatMap(({ faulty }) => faulty),
      };
    },
    whereabouts: () => ofEach('whereabouts', ''),
    changes: () => ofEach('changes', 0),
    losses: () => ofEach<ClientLosses>('losses', { gapsAtMs: [], disconnects: 0 }),
    control: (clients) => all({ kind: 'control', clients }),
    move: (pace) => all({ kind: 'move', pace: { ...pace, perSecond: pace.perSecond / workerCount } }),
    disturb: (fault) => all({ kind: 'disturb', fault }),
    reset: () => all({ kind: 'reset' }),
    stop: async () => void (await Promise.all(workers.map((worker) => worker.stop()))),
  };

  const shares: FleetMember[][] = workers.map(() => []);
  for (const [n, user] of users.entries()) {
    const member = {
      n,
      user,
      isControl: n >= clients - control,
      topics: options.topics?.[n] ?? [],
      address: options.addresses?.(n),
    };
    shares[n % workerCount]?.push(member);
  }
  const { ackAfterMs, sdk } = options;
  try {
    await Promise.all(
      workers.map((worker, index) => {
        const members = shares[index] ?? [];
        return worker.ask({
          kind: 'start',
          gatewayUrl,
          members,
          arriveWithinMs,
          beforeMoveMs,
          ackAfterMs,
          sdk,
          mover,
        });
      }),
    );
  } catch (error) {
    await fleet.stop();
    throw error;
  }
  return fleet;
}

function progressOf(workers: readonly Worker[]): WorkerProgress {
  const sum = (field: keyof WorkerProgress) => sumOf(workers, ({ progress }) => progress?.[field] ?? 0);
  return {
    connected: sum('connected'),
    delivered: sum('delivered'),
    topicsDelivered: sum('topicsDelivered'),
    moves: sum('moves'),
  };
}

function merged(reports: readonly WorkerReport[]): FleetStats {
  const sum = (pick: (report: WorkerReport) => number) => sumOf(reports, pick);
  const counts = (pick: (report: WorkerReport) => Record<string, number>): Record<string, number> => {
    const all: Counts = {};
    for (const report of reports) addTo(all, pick(report));
    return all;
  };
  const delays = (kind: DelayKind): Delays => {
    const all = new Delays();
    for (const report of reports) all.merge(report.delays[kind]);
    return all;
  };
  const clientsByMoves: number[] = [];
  const dials: Record<string, Counts> = {};
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
    repeatedOnWire: sum((report) => report.repeatedOnWire),
    disconnects: sum((report) => report.disconnects),
    closed: sum((report) => report.closed),
    moves: sum((report) => report.moves),
    minMoves: Math.min(...reports.map((report) => report.minMoves)),
    returns: sum((report) => report.returns),
    socketlessMaxMs: Math.max(...reports.map((report) => report.socketlessMaxMs)),
    connectFailures: counts((report) => report.connectFailures),
    gaps: counts((report) => report.gaps),
    topicGaps: counts((report) => report.topicGaps),
    movesFailed: counts((report) => report.movesFailed),
    disturbances: counts((report) => report.disturbances),
    eventsPerNode: counts((report) => report.eventsPerNode),
    clientsByMoves,
    dials,
    delays: Object.fromEntries(delayKinds.map((kind) => [kind, delays(kind)])) as Record<DelayKind, Delays>,
    mover: {
      turnsDue: sum(({ mover }) => mover.turnsDue),
      turnsAtLimit: sum(({ mover }) => mover.turnsAtLimit),
      turnsNobodyFree: sum(({ mover }) => mover.turnsNobodyFree),
      leftOut: sum(({ mover }) => mover.leftOut),
      asked: sum(({ mover }) => mover.asked),
    },
    incidents: incidents.sort((a, b) => a.atMs - b.atMs),
  };
}

const sumOf = <Each>(all: readonly Each[], pick: (each: Each) => number): number =>
  all.reduce((total, each) => total + pick(each), 0);

const addedUp = (parts: readonly Deliveries[]): Deliveries => ({
  delivered: sumOf(parts, (part) => part.delivered),
  lost: sumOf(parts, (part) => part.lost),
  covered: sumOf(parts, (part) => part.covered),
  repeated: sumOf(parts, (part) => part.repeated),
  reordered: sumOf(parts, (part) => part.reordered),
});
