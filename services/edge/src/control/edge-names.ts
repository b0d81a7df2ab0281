import { BrokerError, type TopologyChannels } from '@evenkeel/broker';

/** Locked by RabbitMQ to one connection; nothing comes to it. */
export const queueOf = (node: string): string => `edge.${node}.name`;

/** What was said of a name counts for so long, ms: a crowd comes from one edge, and each look costs RabbitMQ a channel. */
const keptMs = 300;
const timeoutMs = 5_000;

export interface EdgeNamesOptions {
  readonly consuming: {
    topology(options: { channels: number; timeoutMs: number }): Pick<TopologyChannels, 'checkQueue'>;
  };
  /** ms, of a clock that nobody sets. */
  readonly now: () => number;
}

interface Look {
  readonly atMs: number;
  readonly answer: Promise<boolean>;
}

/** The names of other edges, each of which RabbitMQ keeps for the connection that its edge consumes on. */
export class EdgeNames {
  readonly #topology: Pick<TopologyChannels, 'checkQueue'>;
  readonly #now: () => number;
  readonly #looks = new Map<string, Look>();

  constructor({ consuming, now }: EdgeNamesOptions) {
    this.#topology = consuming.topology({ channels: 1, timeoutMs });
    this.#now = now;
  }

  /** Whether it may be there: false once RabbitMQ has said that nobody has the name. Never rejects. */
  mayBeThere(node: string): Promise<boolean> {
    const atMs = this.#now();
    for (const [each, look] of this.#looks) if (atMs - look.atMs >= keptMs) this.#looks.delete(each);
    const last = this.#looks.get(node);
    if (last) return last.answer;
    const answer = this.#look(node);
    this.#looks.set(node, { atMs, answer });
    return answer;
  }

  async #look(node: string): Promise<boolean> {
    try {
      return (await this.#topology.checkQueue(queueOf(node))) !== undefined;
    } catch (error) {
      // The queue of a connection goes with the node of the broker that it was on.
      return !(error instanceof BrokerError && error.code === 'queue-down');
    }
  }
}
