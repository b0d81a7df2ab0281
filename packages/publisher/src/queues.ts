import { BrokerError, type Log, type QueueSpec, type TopologyChannels } from '@evenkeel/broker';
import { exchanges, maxKeyBytes } from '@evenkeel/protocol/wire';
import { withoutQuestion } from './authorize.js';
import { PublisherError } from './errors.js';

/** What of `mesh.inbound` is handled: messages of one kind whose keys match a pattern, `*` and `#` allowed. */
export interface Served {
  readonly kind: 'publish' | 'request';
  readonly pattern: string;
}

/** How long a queue is kept without an instance of its service where nothing is said, ms. */
export const defaultGraceMs = 300_000;
/** How long a method stays its service's when the last instance has gone, ms. */
const methodHeldMs = 60_000;
/** What RabbitMQ takes for `x-expires`. */
export const maxGraceMs = 4_294_967_295;

export interface QueueOptions {
  /** Of the service. */
  readonly service: string;
  readonly served: Served;
  /** Its name, where the application has chosen one. */
  readonly queue: string | undefined;
  /** Infinity: for ever; 0: it goes with its last consumer. */
  readonly graceMs: number;
  readonly topology: Pick<TopologyChannels, 'checkQueue' | 'declareExactly' | 'replaceEmptyQueue' | 'bind'>;
  readonly log: Log;
}

/** `:` is no character of a topic, so that no method's queue is taken for a topic's. */
export function queueName(service: string, { kind, pattern }: Served): string {
  return `service.${service}.${kind === 'publish' ? 'publish:' : ''}${words(pattern)}`;
}

const words = (pattern: string): string => pattern.replaceAll('*', '+').replaceAll('#', '++');

/** Arguments by which a queue stays so long after its last consumer. */
function lasting(graceMs: number): { autoDelete: boolean; arguments: Record<string, unknown> } {
  if (graceMs === 0) return { autoDelete: true, arguments: {} };
  return {
    autoDelete: false,
    arguments: graceMs === Number.POSITIVE_INFINITY ? {} : { 'x-expires': graceMs },
  };
}

/**
 * The queue that the instances of a service share, and for requests the mark of whose the method is: a queue that nothing goes
 * to, named by the method alone, with the service's name in an argument that RabbitMQ compares.
 */
export class ServiceQueue {
  readonly name: string;
  /** Name of the mark; undefined: publishes may go to any number of services. */
  readonly mark: string | undefined;
  /** It is one of the version before this, which goes with its last consumer, and whatever waits in it as well. */
  isOlder = false;
  readonly #options: QueueOptions;

  /** @throws PublisherError `bad-option`: a name too long. */
  constructor(options: QueueOptions) {
    const { service, served, queue } = options;
    this.#options = options;
    this.name = queue ?? queueName(service, served);
    const root = words(withoutQuestion(served.pattern).split('.')[0] ?? '');
    this.mark = served.kind === 'request' ? `service.${root}.method:${words(served.pattern)}` : undefined;
    const bytes = Math.max(Buffer.byteLength(this.name), Buffer.byteLength(this.mark ?? ''));
    if (bytes > maxKeyBytes) {
      const hint = 'shorten the name of the service or of the method';
      throw new PublisherError(
        'bad-option',
        `the queue's name has ${bytes} bytes and may have ${maxKeyBytes}; ${hint}`,
      );
    }
  }

  /** Declares and binds it; again and again, whenever it may have gone. @throws PublisherError `queue-differs`. */
  async prepare(): Promise<void> {
    const { topology, served } = this.#options;
    await this.#declare();
    await topology.bind(this.name, exchanges.inbound, served.pattern);
  }

  /** Declares the mark. @throws PublisherError `method-taken`. */
  async claim(mark: string): Promise<void> {
    const { topology, service, served } = this.#options;
    const owner = `service.${mark.split('.')[1]}.owner:`;
    const args = { 'x-expires': methodHeldMs, 'x-dead-letter-exchange': `${owner}${service}` };
    try {
      await topology.declareExactly({ name: mark, arguments: args });
    } catch (cause) {
      if (!isDiffering(cause)) throw cause;
      const holder = new RegExp(`current is (?:the value )?'${escaped(owner)}(.*?)'`, 's').exec(
        cause.message,
      )?.[1];
      throw new PublisherError('method-taken', takenBy(served.pattern, service, holder, mark), cause);
    }
  }

  /** One of the version before this is replaced while it is empty and nobody else consumes it, so that nothing is lost. */
  async replaceOlder(): Promise<void> {
    const { topology, served } = this.#options;
    if (!this.isOlder || !(await this.#isFreeFor(1)) || !(await topology.replaceEmptyQueue(this.#spec())))
      return;
    this.isOlder = false;
    await topology.bind(this.name, exchanges.inbound, served.pattern);
  }

  /** Others may have messages in hand, which are not among those that RabbitMQ counts. `own`: this instance's consumers. */
  async #isFreeFor(own: number): Promise<boolean> {
    const counts = await this.#options.topology.checkQueue(this.name);
    return (counts?.consumers ?? 0) <= own;
  }

  #spec(): QueueSpec {
    return { name: this.name, ...lasting(this.#options.graceMs) };
  }

  async #declare(): Promise<void> {
    const { topology, log } = this.#options;
    try {
      await topology.declareExactly(this.#spec());
    } catch (cause) {
      if (!isDiffering(cause)) throw cause;
      if (!this.#isOlders(cause)) throw this.#differs(cause);
      if (!(await this.#isFreeFor(0)) || !(await topology.replaceEmptyQueue(this.#spec()))) {
        const hint =
          'instances with graceMs 0, or of an earlier version, share it; it is replaced once it is empty and has one consumer, ' +
          'so start those again with the same graceMs';
        if (!this.isOlder)
          log.warn(
            { queue: this.name },
            `the queue goes with its last consumer, and no grace time keeps it: ${hint}`,
          );
        this.isOlder = true;
        return;
      }
    }
    this.isOlder = false;
  }

  /** Under its own name an earlier version declared a queue that goes with its last consumer, as `graceMs` 0 does. */
  #isOlders({ message }: BrokerError): boolean {
    const { queue, graceMs } = this.#options;
    return queue === undefined && graceMs > 0 && /arg 'auto_delete'.*current is 'true'/s.test(message);
  }

  #differs(cause: BrokerError): PublisherError {
    const { graceMs } = this.#options;
    const asked = graceMs === 0 ? 'goes with its last consumer' : `is kept for ${graceMs} ms without one`;
    const message =
      `queue ${this.name} exists with other settings than "${asked}" (RabbitMQ: ${cause.message}). ` +
      'Start all instances of the service with the same graceMs; to change it, stop all instances, let ' +
      `the queue become empty and delete it: rabbitmqctl delete_queue '${this.name}' --if-empty`;
    return new PublisherError('queue-differs', message, cause);
  }
}

const isDiffering = (error: unknown): error is BrokerError =>
  error instanceof BrokerError && error.code === 'queue-differs';

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function takenBy(method: string, service: string, holder: string | undefined, mark: string): string {
  const by = holder === undefined ? 'another service' : `the service "${holder}"`;
  return (
    `method ${method} is served by ${by}, or was until a moment ago, and this is "${service}". Instances that share the work ` +
    'have one name; other services serve other methods. If that service is gone for good, try again in a minute, or ' +
    `delete its mark: rabbitmqctl delete_queue '${mark}'`
  );
}
