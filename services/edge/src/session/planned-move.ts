/** A planned move of a session, from the `move` frame to its end. */
export interface PlannedMove {
  readonly move: string;
  readonly deadlineAtMs: number;
  /** The front has brought the client back here. Returns where it is to go. */
  cameBack(): string;
  /** Called with how it ended; only the first call counts. */
  onEnd(outcome: MoveOutcome): void;
}

export type MoveOutcome = 'done' | 'failed' | 'timedOut';
