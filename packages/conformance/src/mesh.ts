import {
  Broker,
  BrokerError,
  type ConsumerChannels,
  type Delivery,
  type Publisher,
  type TopologyChannels,
  userOf,
} from '@evenkeel/broker';
import { exchanges, meshTopology, type NodeStats, nodeStats } from '@evenkeel/protocol';
import { pause } from './verdict.js';

/** The connections of one run to the mesh it looks at. */
export class MeshUnderTest {
  readonly gateway: string;
  /** Part of every name this run uses, so that runs side by side do not meet. */
  readonly run: string;
  /** Commands to edges name it: they count from the balancer's user, and from others that the edges are told. */
  readonly user: string | undefined;
  readonly publisher: Publisher;
  readonly topology: TopologyChannels;
  /** The latest statistics of every edge heard of. */
  readonly stats = new Map<string, NodeStats>();
  readonly #broker: Broker;
  readonly #consumers: ConsumerChannels;
  #queues = 0;

  private constructor(gateway: string, run: string, broker: Broker, user: string | undefined) {
    this.user = user;
    this.gateway = gateway.replace(/\/+$/, '').replace(/\/gateway$/, '');
    this.run = run;
    this.#broker = broker;
    this.publisher = broker.publisher();
    this.topology = broker.topology();
    this.#consumers = broker.consumers({ channels: 2, prefetch: 1_000 });
  }

  /** Connects, and listens until an edge has been heard of. @throws Error that says what to do. */
  static async connect(gateway: string, amqpUrl: string, run: string): Promise<MeshUnderTest> {
    const broker = await Broker.connect({ url: amqpUrl, name: `conformance ${run}`, attempts: 1 });
    try {
      const mesh = new MeshUnderTest(gateway, run, broker, userOf(amqpUrl));
      await mesh.#listen();
      return mesh;
    } catch (error) {
      await broker.close();
      throw error;
    }
  }

  /** Edges that take clients now. */
  get nodes(): NodeStats[] {
    return [...this.stats.values()].filter(({ state }) => state === 'active');
  }

  /** Declares the exchanges of the protocol as it names them; refused where the mesh has them otherwise. */
  async declareExchanges(): Promise<void> {
    await this.#broker.declare(meshTopology);
  }

  /** Consumes what `exchange` carries under `key`, on a queue of its own, from when it resolves. */
  async listen(
    exchange: string,
    key: string,
    onDelivery: (d: Delivery) => void,
  ): Promise<() => Promise<void>> {
    const { name, end } = await this.queue(onDelivery);
    await this.topology.bind(name, exchange, key);
    return end;
  }

  /** Consumes a queue of its own, from when it resolves. */
  async queue(onDelivery: (d: Delivery) => void): Promise<{ name: string; end(): Promise<void> }> {
    this.#queues += 1;
    const name = `conformance.${this.run}.${this.#queues}`;
    await this.topology.declareQueue({ name, durable: false, exclusive: true });
    const consumer = await this.#consumers.consume(name, {
      onDelivery(delivery) {
        delivery.ack();
        onDelivery(delivery);
      },
    });
    const end = async () => {
      await consumer.cancel();
      await this.topology.deleteQueue(name);
    };
    return { name, end };
  }

  async close(): Promise<void> {
    await this.publisher.flush();
    await this.#broker.close();
  }

  async #listen(): Promise<void> {
    const onStats = (delivery: Delivery) => {
      try {
        const stats = nodeStats.safeParse(JSON.parse(delivery.body.toString('utf8')));
        if (stats.success) this.stats.set(stats.data.node, stats.data);
      } catch {
        // Whoever publishes something else there is found by the rule on statistics.
      }
    };
    try {
      await this.listen(exchanges.stats, 'stats.*', onStats);
    } catch (cause) {
      if (!(cause instanceof BrokerError)) throw cause;
      throw new Error(
        `there is no exchange ${exchanges.stats} on this broker: no edge has run there; is --amqp-url right?`,
        { cause },
      );
    }
    // An edge speaks once a second; two such seconds find them all.
    await pause(2_100);
    if (this.stats.size > 0) return;
    throw new Error('no edge has sent statistics within 2 s: start a mesh, or give its broker as --amqp-url');
  }
}
