import type { Counts } from '../../fleet/counts.js';

/** One node as it is after a step. */
export interface NodeSeen {
  readonly node: string;
  readonly sessions: number;
  /** Of these, whom the front brings back whenever they are sent elsewhere. */
  readonly pinned: number;
  /** Of the sessions, whom an independent count of the front's hash sends here; undefined: it has none. */
  readonly hashed: number | undefined;
  /** An operator has it emptied. */
  readonly isDrained: boolean;
}

/** Since the beginning. */
export interface Totals {
  readonly moved: number;
  /** Times that a client was without a connection. */
  readonly disconnects: number;
  readonly lost: number;
  readonly bareLost: number;
}

/** What clients get of the numbered events, and what they are connected to; Evenkeel or what there is without it. */
export interface World {
  readonly clients: number;
  /** All clients come at once. Resolves with how long the slowest took, ms; undefined: not all are in. */
  enter(): Promise<number | undefined>;
  /** A third edge, and the front learns of it. */
  join(): Promise<void>;
  /** Empties the first edge. Resolves when that has ended, with what came of it. */
  drain(): Promise<string>;
  uncordon(): Promise<void>;
  /** The second edge dies. Resolves with the time until every client was connected again, ms; undefined: not all are. */
  kill(): Promise<number | undefined>;
  /** It is started again. */
  back(): Promise<void>;
  /** Asks an edge to end, waits for that, and starts it again. */
  restart(edge: number): Promise<void>;
  /** Waits until nothing more is to be done, for a while; then what there is. */
  settled(): Promise<readonly NodeSeen[]>;
  totals(): Promise<Totals>;
  finish(): Promise<Outcome>;
}

export interface Deliveries {
  readonly published: number;
  readonly delivered: number;
  readonly lost: number;
  readonly covered: number;
  readonly repeated: number;
  readonly reordered: number;
}

export interface Outcome {
  /** Of clients of the SDK; without Evenkeel: of all. */
  readonly sdk: Deliveries;
  readonly bare: Deliveries;
  readonly closes: Readonly<Counts>;
  readonly incidents: readonly string[];
}
