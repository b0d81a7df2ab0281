import type { Broker, Consumer, ConsumerChannels, Delivery, Log } from '@evenkeel/broker';
import { exchanges, inboundKind, replyExchangeHeader } from '@evenkeel/protocol/wire';
import { Answered, type Outcome } from './answered.js';
import type { Replies } from './replies.js';

/** What a client sent: a request to who serves the method, a publish to who listens to the topic. */
export interface InboundMessage<Payload = unknown> {
  /** The method or topic. */
  readonly method: string;
  readonly data: Payload;
  /** Id of the user, as the gateway checked it. */
  readonly user: string;
  readonly session: string;
  /** The same for every repeat; undefined where the sender set none. */
  readonly id: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
}
/**
 * Handles what a client sent. What it returns (or resolves with) to a request goes back as JSON. When it throws, the
 * client gets an error with the thrown error's `code` (if a string, else `service-error`) and message; a publish comes once
 * more.
 */
export type InboundHandler<Payload = unknown> = (message: InboundMessage<Payload>) => unknown;

/** How a method is served. */
export interface ServeOptions {
  /**
   * Queue that the instances of this service share. Default `service.<publisher's name>.<method>` for requests,
   * `service.<publisher's name>.publish:<topic>` for publishes.
   */
  queue?: string;
  /**
   * Keep the queue when no instance runs, so that clients' messages wait. Default false: the queue goes with its last
   * consumer and clients get `no-service` at once.
   */
  durable?: boolean;
  /** Messages handled at once by this instance. Default 16. */
  prefetch?: number;
  /** Outcomes remembered to answer repeats without handling them again, by this instance. Default 1,000. */
  remember?: number;
}

/** A method being served, or a topic being listened to. */
export interface Service {
  /** Messages of the other kind that came and were not handled: a method and a topic of one name. */
  readonly ignored: number;
  /** Takes no more, waits for what is being handled. */
  stop(): Promise<void>;
}

/** What a service needs of the mesh: a connection to consume on, and another for its replies. */
export interface ServiceMesh {
  readonly broker: Broker;
  readonly consumers: ConsumerChannels;
  readonly replies: Replies;
  /** Of the application service. */
  readonly name: string;
  readonly log: Log | undefined;
}

/** What of `mesh.inbound` is handled: messages of one kind whose keys match a pattern, `*` and `#` allowed. */
export interface Served {
  readonly kind: 'publish' | 'request';
  readonly pattern: string;
}

/** Consumes what is to be served. */
export async function serve(
  { broker, consumers, replies, name, log }: ServiceMesh,
  { kind, pattern }: Served,
  handler: InboundHandler,
  options: ServeOptions,
): Promise<Service> {
  let ignored = 0;
  const answered = new Answered(options.remember ?? 1_000);
  const running = new Set<Promise<void>>();
  const queue = options.queue ?? queueOf(name, kind, pattern);
  const topology = broker.topology({ channels: 1 });
  const prepare = async (): Promise<void> => {
    await topology.declareQueue({ name: queue, durable: true, autoDelete: !options.durable });
    await topology.bind(queue, exchanges.inbound, pattern);
  };
  await prepare();
  const ignore = (delivery: Delivery): void => {
    ignored += 1;
    if (ignored === 1) {
      const { type } = delivery.properties;
      log?.warn({ queue, key: delivery.key, type }, `not a ${kind}: not handled; further ones are counted`);
    }
    delivery.ack();
  };
  const settle = async (delivery: Delivery): Promise<void> => {
    const { messageId, replyTo, correlationId, headers, type } = delivery.properties;
    if (inboundKind(type, replyTo) !== kind) return ignore(delivery);
    try {
      const outcome = await answered.once(messageId, () => handle(handler, delivery));
      if (kind === 'request' && replyTo !== undefined) {
        const exchange = headers[replyExchangeHeader];
        await replies.send({ replyTo, correlationId, exchange }, outcome);
      } else if (outcome.errorCode !== undefined) {
        // Nobody waits for an answer: once more, it may have been a passing fault, then no more.
        log?.warn({ method: delivery.key, id: messageId, error: outcome.body.toString() }, 'handler failed');
        answered.forget(messageId);
        if (delivery.redelivered) delivery.drop();
        else delivery.requeue();
        return;
      }
      delivery.ack();
    } catch (error) {
      log?.warn({ method: delivery.key, id: messageId, error: String(error) }, 'reply not sent');
      delivery.requeue();
    }
  };

  const consumer: Consumer = await consumers.consume(queue, {
    prefetch: options.prefetch ?? 16,
    prepare,
    onDelivery: (delivery) => {
      const done = settle(delivery).finally(() => running.delete(done));
      running.add(done);
    },
  });

  return {
    get ignored() {
      return ignored;
    },
    stop: async () => {
      await consumer.cancel();
      await Promise.all(running);
    },
  };
}

/** `:` is no character of a topic, so that no method's queue is taken for a topic's. */
function queueOf(service: string, kind: Served['kind'], pattern: string): string {
  const words = pattern.replaceAll('*', '+').replaceAll('#', '++');
  return `service.${service}.${kind === 'publish' ? 'publish:' : ''}${words}`;
}

async function handle(handler: InboundHandler, delivery: Delivery): Promise<Outcome> {
  const { headers, messageId } = delivery.properties;
  const text = (name: string): string => String(headers[name] ?? '');
  try {
    const result = await handler({
      method: delivery.key,
      data: payloadOf(delivery),
      user: text('evenkeel-user'),
      session: text('evenkeel-session'),
      id: messageId,
      headers,
    });
    return { body: Buffer.from(JSON.stringify(result) ?? 'null') };
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code;
    return {
      body: Buffer.from(error instanceof Error ? error.message : String(error)),
      errorCode: typeof code === 'string' ? code : 'service-error',
    };
  }
}

/** JSON where it is that, else text. */
function payloadOf({ body }: Delivery): unknown {
  const text = body.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
