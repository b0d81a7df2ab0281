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
  /** The broker that this edge is connected to, `host:port`. */
  brokerNow(): string | undefined;
  /** It is the session's from now on; `home`: the broker that it was made at. */
  onTake(home: string | undefined): void;
  /** The queue before is the session's again. */
  onUndo(): void;
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
  #home: string | undefined;

  constructor(options: NextQueueOptions) {
    this.#options = options;
    ({ front: this.#front, beyond: this.#beyond } = junction(options.spec.name));
  }

  async prepare(isCalledOff: () => boolean): Promise<void> {
    const { topology, spec, before } = this.#options;
    const front = {
      name: this.#front,
      type: 'topic',
      autoDelete: true,
      alternateExchange: this.#beyond,
    } as const;
    const steps: (() => Promise<unknown>)[] = [
      () => this.#declare(),
      // Each goes by itself: `front` with the queue before, `beyond` with this one.
      () => topology.declareExchange({ name: this.#beyond, type: 'fanout', autoDelete: true }),
      () => topology.bind(spec.name, this.#beyond, ''),
      () => topology.declareExchange(front),
      () => all([everything, lastMark].map((key) => topology.bind(before, this.#front, key))),
      () => all(this.#bindings.map(([source, key]) => topology.bindExchange(this.#front, source, key))),
      () => all(this.#bindings.map(([source, key]) => topology.unbind(before, source, key))),
      // Of a change to the queue before that was not finished: it would get everything by that as well.
      () => topology.deleteExchange(junction(before).beyond),
    ];
    for (const step of steps) {
      if (isCalledOff()) throw new Error('it is not to be changed any more');
      await step();
    }
  }

  take(): void {
    this.#options.onTake(this.#home);
  }

  async cut(): Promise<void> {
    await this.#options.topology.unbind(this.#options.before, this.#front, everything);
  }

  async end(): Promise<boolean> {
    const headers = { [sealHeader]: lastMark };
    const properties = { headers, persistent: false, mandatory: true };
    return (await this.#options.publisher.publish(this.#front, lastMark, '', properties)) === 'routed';
  }

  async finish(): Promise<void> {
    const { topology, spec } = this.#options;
    await all(this.#bindings.map(([source, key]) => topology.bind(spec.name, source, key)));
    await topology.unbind(spec.name, this.#beyond, '');
  }

  async retire(): Promise<boolean> {
    const { topology, before } = this.#options;
    if (await topology.deleteEmptyQueue(before)) return true;
    await topology.deleteQueue(before);
    return false;
  }

  async undo(): Promise<void> {
    const { topology, spec, before } = this.#options;
    await all(this.#bindings.map(([source, key]) => topology.bind(before, source, key)));
    this.#options.onUndo();
    await topology.deleteExchange(this.#front);
    await topology.deleteExchange(this.#beyond);
    // Where the connection was lost meanwhile it may be in use.
    await topology.deleteUnusedQueue(spec.name);
  }

  /** How far it has got is not known: the session's queue is either of them. */
  giveUp(): void {
    this.#options.onUndo();
  }

  async #declare(): Promise<void> {
    const { topology, spec, brokerNow } = this.#options;
    const home = brokerNow();
    await topology.declareQueue(spec);
    // Declared again after a loss it may be elsewhere.
    this.#home = home === brokerNow() ? home : undefined;
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

/** Resolves, or rejects, when none of them is under way any more. */
async function all(operations: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(operations)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}
