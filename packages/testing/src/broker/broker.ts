import { meshTopology } from '@evenkeel/protocol';
import { type Message, type MessageProperties, Queue, type QueueOptions } from './queue.js';

/** What RabbitMQ answers with when it closes a channel. */
export class ChannelError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

interface Binding {
  readonly queue: Queue;
  readonly key: string;
  readonly words: readonly string[];
}

/** RabbitMQ in memory, as far as a mesh and its applications use it: exchanges, queues, bindings. */
export class MemoryBroker {
  readonly queues = new Map<string, Queue>();
  readonly #exchanges = new Map<string, { type: string; bindings: Binding[] }>();

  constructor() {
    for (const { name, type } of meshTopology.exchanges) this.#exchanges.set(name, { type, bindings: [] });
  }

  /** True when a queue took it. @throws ChannelError 404 */
  publish(exchange: string, key: string, body: Buffer, properties: MessageProperties): boolean {
    const { expiration } = properties;
    const expiresAtMs = expiration === undefined ? undefined : Date.now() + Number(expiration);
    const message: Message = { exchange, key, body, properties, expiresAtMs };
    // A queue that several of the keys lead to gets it once.
    const found = new Set(keysOf(key, properties).flatMap((each) => this.#routed(exchange, each)));
    for (const queue of found) queue.push(message);
    return found.size > 0;
  }

  #routed(exchange: string, key: string): Queue[] {
    if (exchange === '') {
      const queue = this.queues.get(key);
      return queue ? [queue] : [];
    }
    const { type, bindings } = this.#exchange(exchange);
    const words = key.split('.');
    return bindings
      .filter(({ key: bound, words: pattern }) =>
        type === 'topic' ? matches(pattern, words) : type === 'fanout' || bound === key,
      )
      .map(({ queue }) => queue);
  }

  checkExchange(name: string): void {
    this.#exchange(name);
  }

  declareExchange(name: string, type: string): void {
    if (!this.#exchanges.has(name)) this.#exchanges.set(name, { type, bindings: [] });
  }

  /** `owner`: the connection, for an exclusive queue. @throws ChannelError 405, 406 */
  declareQueue(name: string, options: QueueOptions, owner?: unknown): Queue {
    const known = this.queues.get(name);
    if (known) {
      this.#mayUse(known, owner);
      const difference = differenceOf(name, known.options, options);
      if (difference) throw new ChannelError(406, `PRECONDITION_FAILED - inequivalent arg ${difference}`);
      known.touch();
      return known;
    }
    const queue: Queue = new Queue(name, options, options.exclusive ? owner : undefined, () =>
      this.deleteQueue(queue),
    );
    this.queues.set(name, queue);
    return queue;
  }

  /** @throws ChannelError 404, 405 */
  queue(name: string, owner?: unknown): Queue {
    const queue = this.queues.get(name);
    if (!queue) throw new ChannelError(404, `NOT_FOUND - no queue '${name}' in vhost '/'`);
    this.#mayUse(queue, owner);
    return queue;
  }

  bind(queue: Queue, exchange: string, key: string): void {
    const { bindings } = this.#exchange(exchange);
    const isBound = bindings.some((binding) => binding.queue === queue && binding.key === key);
    if (!isBound) bindings.push({ queue, key, words: key.split('.') });
  }

  unbind(queue: Queue, exchange: string, key: string): void {
    const found = this.#exchange(exchange);
    found.bindings = found.bindings.filter((binding) => binding.queue !== queue || binding.key !== key);
  }

  deleteQueue(queue: Queue): void {
    if (this.queues.get(queue.name) !== queue) return;
    this.queues.delete(queue.name);
    for (const exchange of this.#exchanges.values())
      exchange.bindings = exchange.bindings.filter((binding) => binding.queue !== queue);
    queue.end();
  }

  deleteExchange(name: string): void {
    this.#exchanges.delete(name);
  }

  #exchange(name: string): { type: string; bindings: Binding[] } {
    const exchange = this.#exchanges.get(name);
    if (!exchange) throw new ChannelError(404, `NOT_FOUND - no exchange '${name}' in vhost '/'`);
    return exchange;
  }

  #mayUse(queue: Queue, owner: unknown): void {
    if (queue.owner !== undefined && queue.owner !== owner)
      throw new ChannelError(
        405,
        `RESOURCE_LOCKED - cannot obtain exclusive access to queue '${queue.name}'`,
      );
  }
}

/** The routing key, and those in the header `CC`, which count as it does. */
function keysOf(key: string, { headers }: MessageProperties): string[] {
  const others: unknown = headers?.CC;
  return [key, ...(Array.isArray(others) ? others.map(String) : [])];
}

/** Where two declarations differ, in the words of RabbitMQ; undefined: they do not. */
function differenceOf(name: string, known: QueueOptions, asked: QueueOptions): string | undefined {
  const plain = ({ durable, exclusive, autoDelete, arguments: more }: QueueOptions) =>
    new Map<string, unknown>(Object.entries({ durable, exclusive, auto_delete: autoDelete, ...more }));
  const [current, received] = [plain(known), plain(asked)];
  const differs = [...current.keys(), ...received.keys()].find(
    (arg) => current.get(arg) !== received.get(arg),
  );
  if (differs === undefined) return undefined;
  const shown = (value: unknown): string => (value === undefined ? 'none' : `'${value}'`);
  return (
    `'${differs}' for queue '${name}' in vhost '/': received ${shown(received.get(differs))} but current is ` +
    shown(current.get(differs))
  );
}

/** `*` is one word, `#` any number. */
function matches(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return words.length === 0;
  if (first === '#') return matches(rest, words) || (words.length > 0 && matches(pattern, words.slice(1)));
  return words.length > 0 && (first === '*' || first === words[0]) && matches(rest, words.slice(1));
}
