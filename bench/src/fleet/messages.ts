import type { DelaysDump } from './delays.js';

/** What the numbered publisher sends: user number, sequence number of that user, time of sending. */
export interface NumberedEvent {
  readonly n: number;
  readonly k: number;
  readonly at: number;
}

/** One client of a fleet. */
export interface FleetMember {
  /** Its number, over the whole fleet. */
  readonly n: number;
  readonly user: string;
}

/** What a worker of a fleet is told. */
export type WorkerCommand =
  | {
      kind: 'start';
      gatewayUrl: string;
      members: readonly FleetMember[];
      arriveWithinMs: number;
      beforeMoveMs: number;
    }
  | { kind: 'report' }
  | { kind: 'check'; sent: Uint32Array }
  | { kind: 'reset' }
  | { kind: 'whereabouts' }
  | { kind: 'stop' };

export type WorkerRequest = WorkerCommand & { readonly id: number };
export interface WorkerAnswer {
  readonly id: number;
  readonly value: unknown;
}

/** Something that should not happen, as it was seen. */
export interface Incident {
  readonly atMs: number;
  readonly user: string;
  readonly node: string;
  readonly what: string;
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
  /** Times that a client was without a socket. */
  readonly disconnects: number;
  readonly connectFailures: Record<string, number>;
  readonly gaps: Record<string, number>;
  readonly closed: number;
  readonly moves: number;
  /** Times that a client came back, after a loss, on another node. */
  readonly returns: number;
  readonly movesFailed: Record<string, number>;
  /** Clients by how often they changed the node: moves and returns. */
  readonly clientsByMoves: readonly number[];
  /** Sockets dialled, in moves too: by host and port of the edge, by second since the epoch. */
  readonly dials: Record<string, Record<number, number>>;
  /** Events that reached applications, by the node that their client was on. */
  readonly eventsPerNode: Record<string, number>;
  /** From sending to the application's callback. */
  readonly delays: DelaysDump;
  /** The same, of events that came during a move or in the second after it. */
  readonly delaysInMoves: DelaysDump;
  /** From `moving` to `moved`. */
  readonly moveTimes: DelaysDump;
  /** From the start of a client to its first connection. */
  readonly connectTimes: DelaysDump;
  readonly incidents: readonly Incident[];
}

/** One client that did not get what it should have got. */
export interface FaultyClient {
  readonly user: string;
  readonly node: string | undefined;
  /** The first missing sequence numbers. */
  readonly missing: readonly number[];
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
}

/** What became of everything that was sent. */
export interface FleetCheck {
  readonly clients: number;
  readonly delivered: number;
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
  readonly misrouted: number;
  readonly faulty: readonly FaultyClient[];
}
