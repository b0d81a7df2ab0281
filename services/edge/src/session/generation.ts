/** Which of a session's queues it is. */
export interface QueueGeneration {
  /** 0: the one that the session began with; each that is lost with a node of the broker makes it one more. */
  readonly generation: number;
  /** After a look: the session's queue is on a node that is down, and this one is to be made in its place. */
  readonly isLost: boolean;
  /** It lives on one node of several, and may be lost alone. */
  readonly isOfCluster: boolean;
  /** The broker that it was made at, `host:port`; undefined: nobody knows. */
  readonly home: string | undefined;
  /** Who has had it says so. */
  isAt(generation: number, home?: string): void;
  /** It is one of these, the highest, or a later one; 0 and undefined say nothing. */
  isAtLeast(...generations: readonly (number | undefined)[]): void;
  /** The one that is to take its place, at the broker that this edge is connected to. */
  next(): NextQueue;
}

/**
 * The queue that takes the place of the one that a session has, in three steps, each of which rejects without the broker. What is published
 * meanwhile is in one of the two: whatever is in the one before is older than what is in this one.
 */
export interface NextQueue {
  /** It is there, empty. Everything still goes to the one before. */
  prepare(): Promise<void>;
  /** From here on everything goes to this one. */
  cut(): Promise<void>;
  /** Sends the last message that the one before gets, a seal named {@link lastMark}; some time after the cut. True: it is there. */
  end(): Promise<boolean>;
  /** Who asks for the session's queue is given this one. */
  take(): void;
  /** Bound as any queue of a session. The one before is deleted; false: with something in it. */
  finish(): Promise<boolean>;
  /** Before the cut: everything is as it was. */
  undo(): Promise<void>;
}
