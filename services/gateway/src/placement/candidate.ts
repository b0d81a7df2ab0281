/** A node that placement may choose, with what it decides by. */
export interface Candidate {
  readonly node: string;
  readonly url: string;
  /** The process that its tickets name; undefined: it reads the older form of tickets alone. */
  readonly boot: string | undefined;
  readonly version: string;
  /** Its share of the whole is in proportion to this. */
  readonly weight: number;
  /** Connections it takes at most. */
  readonly capacity: number;
  /** Sessions, as the balancer counts them, and clients under way. */
  readonly load: number;
  /** Connections and clients under way: what its capacity is for. */
  readonly used: number;
  /** Whether it may be sent one more client at this moment. */
  readonly hasSlot: boolean;
  /** See {@link KnownNode.isDoubtful}: others are better while there are any. */
  readonly isDoubtful: boolean;
  /** Far slower than the others at the moment: nobody waits for it. */
  readonly isAiling: boolean;
}

/** Outcome of placing one client. */
export type Choice =
  | { kind: 'node'; node: Candidate }
  /** There are nodes, but none may be sent one more at this moment. */
  | { kind: 'wait' }
  /** There are nodes, all at capacity. */
  | { kind: 'full' }
  | { kind: 'none' };
