import { randomBytes } from 'node:crypto';
import type { Broker, Consumer, Delivery } from '@evenkeel/broker';
import { exchanges, meshTopology, type NodeStats, nodeStats, statsKey } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';

/** Statistics waiting at most; older ones go first, they are of no use. */
const maxWaiting = 10_000;
const ttlMs = 5_000;

/** Consumes the statistics of every edge on an exclusive queue of its own. */
export class StatsFeed {
  readonly #broker: Broker;
  readonly #log: Log;
  readonly #onStats: (stats: NodeStats) => void;
  #consumer: Consumer | undefined;

  constructor(broker: Broker, log: Log, onStats: (stats: NodeStats) => void) {
    this.#broker = broker;
    this.#log = log;
    this.#onStats = onStats;
  }

  async start(): Promise<void> {
    const queue = `gateway.${randomBytes(9).toString('base64url')}`;
    await this.#broker.declare(meshTopology);
    await this.#broker.declare({
      queues: [
        {
          name: queue,
          durable: false,
          exclusive: true,
          autoDelete: true,
          arguments: { 'x-max-length': maxWaiting, 'x-message-ttl': ttlMs },
        },
      ],
      bindings: [{ queue, exchange: exchanges.stats, key: statsKey('*') }],
    });
    const consumers = this.#broker.consumers({ channels: 1, prefetch: 1_000 });
    this.#consumer = await consumers.consume(queue, {
      exclusive: true,
      onDelivery: (delivery) => {
        delivery.ack();
        this.#read(delivery);
      },
    });
  }

  async stop(): Promise<void> {
    await this.#consumer?.cancel();
  }

  #read(delivery: Delivery): void {
    const parsed = nodeStats.safeParse(parseJson(delivery.body));
    if (parsed.success && delivery.key === statsKey(parsed.data.node)) this.#onStats(parsed.data);
    else this.#log.warn({ key: delivery.key, err: parsed.error?.message }, 'statistics not understood');
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
