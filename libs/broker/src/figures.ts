/** What a publisher, a set of consumers or a pool of channels adds to the figures of its connection. */
export interface PartFigures {
  /** Channels open on it. */
  channels: number;
  /** Messages sent and not confirmed. */
  unconfirmed: number;
  /** Messages that wait to be sent. */
  waiting: number;
  /** Declarations, bindings and looks that wait for a channel. */
  operationsWaiting: number;
  /** Consumers that are wanted. */
  consumers: number;
  /** Those of them that do not consume: their channel or queue is gone. */
  recovering: number;
}

/**
 * One connection to RabbitMQ at this moment.
 * @example
 * const { isConnected, reconnects }: ConnectionFigures = publisher.figures().connections.publishing;
 */
export interface ConnectionFigures extends Readonly<PartFigures> {
  readonly isConnected: boolean;
  /** RabbitMQ has raised an alarm and takes no messages from it. */
  readonly isBlocked: boolean;
  /** How often it came back after a loss, since the start. */
  readonly reconnects: number;
}

/** The sum of what each part reports. */
export function sumOf(parts: Iterable<() => Partial<PartFigures>>): PartFigures {
  const sum = {
    channels: 0,
    unconfirmed: 0,
    waiting: 0,
    operationsWaiting: 0,
    consumers: 0,
    recovering: 0,
  };
  for (const read of parts) {
    const part = read();
    sum.channels += part.channels ?? 0;
    sum.unconfirmed += part.unconfirmed ?? 0;
    sum.waiting += part.waiting ?? 0;
    sum.operationsWaiting += part.operationsWaiting ?? 0;
    sum.consumers += part.consumers ?? 0;
    sum.recovering += part.recovering ?? 0;
  }
  return sum;
}
