import type { ConnectionFigures } from '@evenkeel/broker';

/**
 * What became of what a client sent. Of requests: `answered`, `refused` (a `ServiceError`), `failed` (anything else that the handler
 * threw, or too late). Of publishes: `handled`, `retried`, `dropped`. Of both: `repeated` (known, not handled again), `ignored` (of the
 * other kind).
 * @example
 * const { answered, dropped }: Record<HandledOutcome, number> = publisher.figures().handled;
 */
export type HandledOutcome =
  | 'answered'
  | 'refused'
  | 'failed'
  | 'handled'
  | 'retried'
  | 'dropped'
  | 'repeated'
  | 'ignored';

/**
 * What a publisher does at this moment, and what it has done since it was made. For metrics.
 * @example
 * const { published, running }: PublisherFigures = publisher.figures();
 */
export interface PublisherFigures {
  /** Its connections; `consuming` is there from the first service on. `waiting` has also events that wait for their turn. */
  readonly connections: {
    readonly publishing: ConnectionFigures;
    readonly consuming?: ConnectionFigures;
  };
  /** Events by what became of them: `routed`, `unrouted` (no queue took it), or the code that publishing it was rejected with. */
  readonly published: Readonly<Record<string, number>>;
  /** Messages of clients by what became of them. */
  readonly handled: Readonly<Record<HandledOutcome, number>>;
  /** Handlers that run. */
  readonly running: number;
}

/** Counts what services do with what clients send. */
export class HandledCounts {
  readonly counts: Record<HandledOutcome, number> = {
    answered: 0,
    refused: 0,
    failed: 0,
    handled: 0,
    retried: 0,
    dropped: 0,
    repeated: 0,
    ignored: 0,
  };
  running = 0;

  add(outcome: HandledOutcome): void {
    this.counts[outcome] += 1;
  }
}
