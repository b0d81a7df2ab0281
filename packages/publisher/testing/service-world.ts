import {
  BrokerError,
  type ConsumeOptions,
  type Delivery,
  type DeliveryProperties,
  type Log,
} from '@evenkeel/broker';
import { Cancellations } from '../src/cancellations.js';
import { HandledCounts } from '../src/figures.js';
import { servingOf } from '../src/options.js';
import type { Served } from '../src/queues.js';
import type { Reply } from '../src/reply.js';
import { serve } from '../src/service.js';
import { noTracing } from '../src/tracing.js';
import type { InboundHandler, ServeOptions } from '../src/types.js';

/** What the broker says of a queue that exists with another argument. */
export const differs = (argument: string, current: string) =>
  new BrokerError(
    'queue-differs',
    `PRECONDITION_FAILED - inequivalent arg '${argument}' for queue 'q': received 'x' but current is ${current}`,
  );

/** A broker of which only what a service does with it is there. */
export class World {
  readonly calls: string[] = [];
  readonly logged: { level: string; message: string; error: string | undefined }[] = [];
  readonly replies: (Reply & { to: string })[] = [];
  readonly settled: string[] = [];
  readonly counts = new HandledCounts();
  /** What is said at the level `debug`. */
  readonly followed: object[] = [];
  /** What `declareExactly` of a queue of this name throws, each once. */
  readonly refusals = new Map<string, unknown[]>();
  isEmpty = true;
  /** Consumers of its queue that are other instances'. */
  others = 0;
  reply: () => Promise<void> = async () => {};
  #consumer: ConsumeOptions | undefined;
  readonly #name: string;

  constructor(name = 'shop') {
    this.#name = name;
  }

  start(served: Served, handler: InboundHandler, options: ServeOptions = {}) {
    const log = (level: string) => (fields: object, message: string) => {
      const error = 'error' in fields ? String(fields.error) : undefined;
      this.logged.push({ level, message, error });
    };
    const follow = (fields: object, message: string) => void this.followed.push({ message, ...fields });
    const mesh = {
      name: this.#name,
      closeTimeoutMs: 10_000,
      counts: this.counts,
      tracing: noTracing,
      log: { debug: follow, info: log('info'), warn: log('warn'), error: log('error') } satisfies Log,
      cancellations: new Cancellations({
        name: 'shop',
        topology: { declareExactly: async () => ({ messages: 0, consumers: 0 }), bind: async () => {} },
        consumers: { consume: () => Promise.reject(new Error('none')) },
      }),
      replies: {
        sendPart: async () => true,
        send: async ({ replyTo }: { replyTo: string }, reply: Reply) => {
          await this.reply();
          this.replies.push({ ...reply, to: replyTo });
        },
      },
      consumers: {
        consume: async (queue: string, consumer: ConsumeOptions) => {
          this.calls.push(`consume ${queue}`);
          if (!queue.includes('method:')) this.#consumer = consumer;
          const cancel = async () => this.calls.push(`cancel ${queue}`) > 0;
          return {
            queue,
            state: 'active' as const,
            cancel,
            barrier: async () => undefined,
            unbind: async () => {},
          };
        },
      },
      broker: {
        topology: () => ({
          declareExactly: async ({ name, autoDelete, arguments: args }: Declared) => {
            const refusal = this.refusals.get(name)?.shift();
            if (refusal) throw refusal;
            this.calls.push(`declare ${name} ${autoDelete ? 'auto-delete' : JSON.stringify(args)}`);
            return { messages: 0, consumers: 0 };
          },
          checkQueue: async () => ({
            messages: 0,
            consumers: this.others + (this.#consumer === undefined ? 0 : 1),
          }),
          replaceEmptyQueue: async ({ name, arguments: args }: Declared) => {
            if (this.isEmpty) this.calls.push(`replace ${name} ${JSON.stringify(args)}`);
            return this.isEmpty;
          },
          bind: async (queue: string, exchange: string, key: string) =>
            void this.calls.push(`bind ${queue} ${exchange} ${key}`),
        }),
      },
    };
    return serve(mesh, served, handler, servingOf(options));
  }

  deliver(
    id: string,
    properties: Partial<DeliveryProperties> = {},
    body: Buffer | string = '1',
    key = 'shop.x',
  ): void {
    const settle = (how: string) => () => void this.settled.push(`${how} ${id}`);
    const delivery: Delivery = {
      body: Buffer.from(body),
      exchange: 'mesh.inbound',
      key,
      redelivered: false,
      isSettled: false,
      isVoid: false,
      forgetContent: () => {},
      ack: settle('ack'),
      requeue: settle('requeue'),
      drop: settle('drop'),
      properties: {
        messageId: id,
        ...properties,
        headers: { 'evenkeel-uid': 'alice', 'evenkeel-session': 's1', ...properties.headers },
      },
    };
    this.#consumer?.onDelivery(delivery);
  }

  ask(id: string, properties: Partial<DeliveryProperties> = {}): void {
    this.deliver(id, { type: 'request', replyTo: `to ${id}`, ...properties });
  }

  /** What an edge asks: may she? */
  question(id: string, key: string, body: unknown): void {
    const properties = { type: 'request', replyTo: `to ${id}`, correlationId: id };
    this.deliver(id, properties, JSON.stringify(body), key);
  }

  /** What it does before it consumes again. */
  async prepare(): Promise<void> {
    await this.#consumer?.prepare?.();
  }

  lose(): void {
    this.#consumer?.onLost?.('channel');
  }
}

interface Declared {
  name: string;
  autoDelete?: boolean;
  arguments?: Record<string, unknown>;
}
