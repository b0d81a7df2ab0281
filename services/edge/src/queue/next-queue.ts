import type { Publisher, QueueSpec, TopologyChannels } from '@evenkeel/broker';
import { exchanges, junction, lastMark, sealHeader, sessionAddress, userBinding } from '@evenkeel/protocol';

/** Every key of a topic exchange. */
const everything = '#';

export interface NextQueueOptions {
  readonly topology: Pick<
    TopologyChannels,
    | 'declareQueue'
    | 'bind'
    | 'unbind'
    | 'deleteQueue'
    | 'deleteEmptyQueue'
    | 'deleteUnusedQueue'
    | 'declareExchange'
    | 'bindExchange'
    | 'deleteExchange'
  >;
  readonly publisher: Pick<Publisher, 'publish'>;
  readonly uid: string;
  readonly sid: string;
  /** The name of the queue before. */
  readonly before: string;
  readonly spec: QueueSpec;
  /** It is the session's from now on. */
  onTake(): void;
}

/**
 * A queue that takes the place of the one before it without anything lost, repeated or out of order. Where bindings are moved one by one, an
 * event comes to both queues or to none. So all that is bound is first moved to an exchange in front of the queue before, which changes
 * nothing: RabbitMQ puts a message into a queue once, on however many ways it gets there. What that exchange hands to no queue goes to its
 * alternate one, and so to this queue: taking away one binding is the whole cut.
 */
export class NextQueue {
  readonly #options: NextQueueOptions;
  readonly #front: string;
  readonly #beyond: string;

  constructor(options: NextQueueOptions) {
    this.#options = options;
    ({ front: this.#front, beyond: this.#beyond } = junction(options.spec.name));
  }

  async prepare(): Promise<void> {
    const { topology, spec, before } = this.#options;
    await topology.declareQueue(spec);
    // Each goes by itself: `front` with the queue before, `beyond` with this one.
    await topology.declareExchange({ name: this.#beyond, type: 'fanout', autoDelete: true });
    await topology.bind(spec.name, this.#beyond, '');
    const front = { name: this.#front, type: 'topic', autoDelete: true } as const;
    await topology.declareExchange({ ...front, alternateExchange: this.#beyond });
    await Promise.all([
      topology.bind(before, this.#front, everything),
      topology.bind(before, this.#front, lastMark),
    ]);
    await Promise.all(this.#bindings.map(([source, key]) => topology.bindExchange(this.#front, source, key)));
    await Promise.all(this.#bindings.map(([source, key]) => topology.unbind(before, source, key)));
  }

  async cut(): Promise<void> {
    await this.#options.topology.unbind(this.#options.before, this.#front, everything);
  }

  async end(): Promise<boolean> {
    const headers = { [sealHeader]: lastMark };
    const properties = { headers, persistent: false, mandatory: true };
    return (await this.#options.publisher.publish(this.#front, lastMark, '', properties)) === 'routed';
  }

  take(): void {
    this.#options.onTake();
  }

  async finish(): Promise<boolean> {
    const { topology, spec, before } = this.#options;
    await Promise.all(this.#bindings.map(([source, key]) => topology.bind(spec.name, source, key)));
    const wasEmpty = await topology.deleteEmptyQueue(before);
    if (!wasEmpty) await topology.deleteQueue(before);
    await topology.unbind(spec.name, this.#beyond, '');
    return wasEmpty;
  }

  async undo(): Promise<void> {
    const { topology, spec, before } = this.#options;
    await Promise.all(this.#bindings.map(([source, key]) => topology.bind(before, source, key)));
    await topology.deleteExchange(this.#front);
    // Where the connection was lost meanwhile it may be in use.
    await topology.deleteUnusedQueue(spec.name);
  }

  /** By which everything for the session comes. */
  get #bindings(): (readonly [exchange: string, key: string])[] {
    const { uid, sid } = this.#options;
    return [
      [exchanges.events, userBinding(uid)],
      [exchanges.replies, sessionAddress(uid, sid)],
    ];
  }
}
