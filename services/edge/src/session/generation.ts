/** Which of a session's queues it is. */
export interface QueueGeneration {
  /** 0: the one that the session began with; each that is lost with a node of the broker, or left, makes it one more. */
  readonly generation: number;
  /** After a look: the session's queue is on a node that is down, and this one is to be made in its place. */
  readonly isLost: boolean;
  /** It lives on one node of several, and may be lost alone. */
  readonly isOfCluster: boolean;
  /** The broker that it was made at, `host:port`; undefined: nobody knows. */
  readonly home: string | undefined;
  /** Who has had it says so. */
  isAt(generation: number, home?: string): void;
  /** Who has had it some time ago, or its client, says so: it is one of these, the last one, or a later one. */
  mayBeAt(hints: readonly Hint[]): void;
  /** The one that is to take its place, at the broker that this edge is connected to. */
  next(): NextQueue;
}

/** What is remembered of a session's queue. */
export interface Hint {
  /** Undefined: 0. */
  readonly generation?: number | undefined;
  readonly home?: string | undefined;
}

/**
 * The queue that takes the place of the one that a session has, step by step. Each step rejects without the broker. What is published
 * meanwhile is in one of the two: whatever is in the one before is older than what is in this one.
 */
export interface NextQueue {
  /** It is there, empty. Everything still goes to the one before. Rejects as soon as it is called off. */
  prepare(isCalledOff: () => boolean): Promise<void>;
  /** Who asks for the session's queue is given this one. */
  take(): void;
  /** From here on everything goes to this one. */
  cut(): Promise<void>;
  /** Sends the last message that the one before gets, a seal named {@link lastMark}; some time after the cut. True: it is there. */
  end(): Promise<boolean>;
  /** Bound as any queue of a session. */
  finish(): Promise<void>;
  /** Some time later: the one before is deleted; false: with something in it. */
  retire(): Promise<boolean>;
  /** Before it is taken: everything is as it was. */
  undo(): Promise<void>;
  /** Before it is taken, without the broker: whoever looks next finds either. */
  giveUp(): void;
}
