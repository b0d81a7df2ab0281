import type { DelaysDump } from './delays.js';

/** What is published: number of the user (or of the topic), sequence number of that user (or topic), time of sending. */
export interface NumberedEvent {
  readonly n: number;
  readonly k: number;
  readonly at: number;
}

/** The user (or topic), and the sequence number, of one event. */
export type Numbering = readonly [n: number, k: number];

/** One client of a fleet. */
export interface FleetMember {
  /** Its number, over the whole fleet. */
  readonly n: number;
  readonly user: string;
  /** Is never moved by the fleet itself: what others are compared with. */
  readonly isControl: boolean;
  /** Numbers of its topics. */
  readonly topics: readonly number[];
  /** The address of this machine that it dials from; undefined: any. */
  readonly address: string | undefined;
}

/** What clients can do to the mesh. */
export const clientFaults = ['drop-old-socket', 'slow-client', 'replay-ticket'] as const;
export type ClientFault = (typeof clientFaults)[number];

export interface NodeAddress {
  readonly node: string;
  readonly url: string;
}

/** How fast a fleet asks for moves of its clients; `from` and `to`: only those that leave or reach that node. */
export interface MovePace {
  readonly perSecond: number;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export interface WorkerStart {
  readonly gatewayUrl: string;
  readonly members: readonly FleetMember[];
  readonly arriveWithinMs: number;
  readonly beforeMoveMs: number;
  readonly ackAfterMs: number | undefined;
  /** The module of another SDK than this checkout's. */
  readonly sdk: string | undefined;
  /** Where this worker asks for moves; undefined: it does not. */
  readonly mover: { readonly amqpUrl: string; readonly edges: readonly NodeAddress[] } | undefined;
}

/** What a worker of a fleet is told. */
export type WorkerCommand =
  | ({ readonly kind: 'start' } & WorkerStart)
  | { readonly kind: 'report' }
  | {
      readonly kind: 'check';
      readonly sent: Uint32Array;
      readonly topicsSent: Uint32Array;
      readonly failures: readonly Numbering[];
    }
  | { readonly kind: 'move'; readonly pace: MovePace }
  | { readonly kind: 'disturb'; readonly fault: ClientFault | undefined }
  | { readonly kind: 'reset' }
  | { readonly kind: 'whereabouts' }
  | { readonly kind: 'changes' }
  | { readonly kind: 'losses' }
  | { readonly kind: 'control'; readonly clients: readonly number[] }
  | { readonly kind: 'stop' };

export type WorkerRequest = WorkerCommand & { readonly id: number };
interface WorkerAnswer {
  readonly id: number;
  readonly value: unknown;
}

/** Sent by itself ten times a second. */
export interface WorkerProgress {
  readonly connected: number;
  /** Events that reached applications, repeats not counted. */
  readonly delivered: number;
  readonly topicsDelivered: number;
  readonly moves: number;
}

export type FromWorker = WorkerAnswer | { readonly progress: WorkerProgress };

/** Something that should not happen, as it was seen. */
export interface Incident {
  readonly atMs: number;
  readonly user: string;
  readonly node: string;
  readonly what: string;
}

/** Kinds of delays that are told apart. From sending to the application's callback unless said otherwise. */
export const delayKinds = [
  /** Events of clients that the fleet does not move. */
  'control',
  /** Of these, while moves of others were under way. */
  'controlDuring',
  /** Events of clients that may be moved. */
  'moved',
  /** Of these, published between `moving` and the first moment on the new socket. */
  'duringMove',
  /** Topic messages. */
  'topics',
  /** Of these, published during a move of their client. */
  'topicsDuring',
  /** From `moving` to `moved`. */
  'moveTimes',
  /** From the loss of a connection to the next one. */
  'returnTimes',
  /** From the start of a client to its first connection. */
  'connectTimes',
] as const;
export type DelayKind = (typeof delayKinds)[number];

/** Why a mover asked for fewer moves than it was told to; counts of its turns, or of moves. */
export interface MoverCounts {
  /** Turns in which a move was due. */
  readonly turnsDue: number;
  /** Of these: as many moves as may be were under way. */
  readonly turnsAtLimit: number;
  /** Of these: nobody could be moved, everybody being in a move or away. */
  readonly turnsNobodyFree: number;
  /** Moves that were due while the process was late, and were left out. */
  readonly leftOut: number;
  /** Sessions that it asked edges to move. */
  readonly asked: number;
}

/** What one client has lost since the last reset. */
export interface ClientLosses {
  /** When it was told gaps in its events. */
  readonly gapsAtMs: readonly number[];
  /** Times that it was without a socket. */
  readonly disconnects: number;
}

/** Counts of one worker. */
export interface WorkerReport {
  readonly clients: number;
  /** Clients whose state is `connected`, by node. */
  readonly perNode: Record<string, number>;
  readonly received: number;
  readonly repeated: number;
  readonly reordered: number;
  /** Events that reached a client of another user. */
  readonly misrouted: number;
  /** Events that a socket brought again, whether the SDK dropped them or not. */
  readonly repeatedOnWire: number;
  /** Times that a client was without a socket. */
  readonly disconnects: number;
  readonly connectFailures: Record<string, number>;
  /** Gaps in directed events, by reason. */
  readonly gaps: Record<string, number>;
  readonly topicGaps: Record<string, number>;
  readonly closed: number;
  readonly moves: number;
  /** Moves of the client, of those that may be moved, that was moved least. */
  readonly minMoves: number;
  /** Times that a client came back, after a loss, on another node. */
  readonly returns: number;
  readonly movesFailed: Record<string, number>;
  /** Clients by how often they changed the node: moves and returns. */
  readonly clientsByMoves: readonly number[];
  /** Longest time that a client had no open socket. */
  readonly socketlessMaxMs: number;
  /** Sockets dialled, in moves too: by host and port of the edge, by second since the epoch. */
  readonly dials: Record<string, Record<number, number>>;
  /** Events that reached applications, by the node that their client was on. */
  readonly eventsPerNode: Record<string, number>;
  readonly delays: Record<DelayKind, DelaysDump>;
  readonly mover: MoverCounts;
  /** What was done to the mesh from the clients' side: `sockets dropped`, `replays refused`, … */
  readonly disturbances: Record<string, number>;
  readonly incidents: readonly Incident[];
}

/** What became of what was sent. */
export interface Deliveries {
  readonly delivered: number;
  /** Missing, and nobody told of it. */
  readonly lost: number;
  /** Missing where the application was told of a gap. */
  readonly covered: number;
  readonly repeated: number;
  readonly reordered: number;
}

/** One client that did not get what it should have got. */
export interface FaultyClient extends Omit<Deliveries, 'delivered' | 'covered'> {
  readonly user: string;
  readonly node: string | undefined;
  /** Undefined: directed events. */
  readonly topic: string | undefined;
  /** The first missing sequence numbers. */
  readonly missing: readonly number[];
  /** What its client said of itself last. */
  readonly history: readonly string[];
}

/** What became of everything that was sent. */
export interface FleetCheck {
  readonly clients: number;
  readonly events: Deliveries;
  readonly topics: Deliveries;
  readonly misrouted: number;
  readonly faulty: readonly FaultyClient[];
}
