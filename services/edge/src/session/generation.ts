/** Which of a session's queues it is. */
export interface QueueGeneration {
  /** 0: the one that the session began with; each that is lost with a node of the broker makes it one more. */
  readonly generation: number;
  /** After a look: the session's queue is on a node that is down, and this one is to be made in its place. */
  readonly isLost: boolean;
  /** It lives on one node of several, and may be lost alone. */
  readonly isOfCluster: boolean;
  /** Who has had it says so. */
  isAt(generation: number): void;
}
