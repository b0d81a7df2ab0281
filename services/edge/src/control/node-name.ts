import { BrokerError, type Log } from '@evenkeel/broker';
import { OwnQueue, type QueueConnection } from '@evenkeel/mesh';
import type { ServiceContext } from '@evenkeel/runtime';
import type { EdgeConfig } from '../config.js';
import { EdgeNames, queueOf } from './edge-names.js';

export interface NodeNameOptions extends Pick<ServiceContext, 'giveUp'> {
  /** `nameWaitMs`: how long another edge may have the name before this one gives up. */
  readonly config: Pick<EdgeConfig, 'node' | 'nameWaitMs'>;
  readonly consuming: QueueConnection;
  readonly now: () => number;
  readonly log: Log;
}

/** Another edge's, or the last one of this edge, which RabbitMQ has not found dead yet. */
const isTaken = 'another connection has the name of this edge, waiting for it to end';

/**
 * One edge at a time starts by a name: commands, statistics and tickets go by it. It is an exclusive queue, which RabbitMQ frees with
 * the connection of the edge that has it, or once that has been silent for two heartbeats. Until then a second edge waits. One that had
 * it, and comes back from a loss to find it kept for another connection, says so and goes on: most often that is its own last
 * connection, which may outlive the loss by as long as a node of the broker is away.
 */
export class NodeName {
  readonly others: EdgeNames;
  readonly #options: NodeNameOptions;
  readonly #queue: OwnQueue;
  #lockedSinceMs: number | undefined;
  #hadIt = false;
  #offLost: () => void = () => {};

  constructor(options: NodeNameOptions) {
    this.#options = options;
    const { config, consuming, log } = options;
    this.others = new EdgeNames(options);
    this.#queue = new OwnQueue(consuming, {
      name: queueOf(config.node),
      isNamed: true,
      isConsumed: false,
      arguments: { 'x-max-length': 1 },
      onFailed: (error) => this.#failed(error),
      onRemade: () => {
        this.#lockedSinceMs = undefined;
      },
      log,
    });
  }

  /** Resolves once the name is this edge's. @throws BrokerError `broker-closed` when `signal` aborts first. */
  async start(signal?: AbortSignal): Promise<void> {
    // Nobody has said whose it is while there was no connection.
    this.#offLost = this.#options.consuming.on('lost', () => {
      this.#lockedSinceMs = undefined;
    });
    await this.#queue.start(signal);
    this.#hadIt = true;
    this.#lockedSinceMs = undefined;
  }

  /** What to say of it; undefined: the name is this edge's. */
  note(): string | undefined {
    if (this.#lockedSinceMs !== undefined) return isTaken;
    const readiness = this.#queue.readiness();
    return readiness === true ? undefined : readiness;
  }

  stop(): Promise<void> {
    this.#offLost();
    return this.#queue.stop();
  }

  #failed(error: unknown): void {
    // Whoever has it may be on the other side of what is broken: only RabbitMQ's own word counts.
    if (!(error instanceof BrokerError) || error.code !== 'queue-locked') {
      this.#lockedSinceMs = undefined;
      return;
    }
    const { config, now, log, giveUp } = this.#options;
    const { node, nameWaitMs: waitMs } = config;
    if (this.#lockedSinceMs === undefined) {
      this.#lockedSinceMs = now();
      log.warn({ waitMs }, isTaken);
    }
    if (this.#hadIt || now() - this.#lockedSinceMs < waitMs) return;
    giveUp(
      new Error(
        `Another edge is called ${node} (EVENKEEL_NODE) and has not ended within ${waitMs / 1_000} s: RabbitMQ keeps the queue ${queueOf(node)} for it. ` +
          'Give each edge a name of its own, or stop the other one first.',
      ),
    );
  }
}
