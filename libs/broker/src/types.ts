import type { Alarm } from './alarm.js';

/**
 * The part of a pino logger this package uses.
 * @example
 * const log: Log = {
 *   debug: () => {},
 *   info: (fields, message) => console.info(message, fields),
 *   warn: (fields, message) => console.warn(message, fields),
 *   error: (fields, message) => console.error(message, fields),
 * };
 * const logged = await createPublisher({ amqpUrl, name: 'shop', log });
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** TLS to RabbitMQ. Files are PEM, and read at each connect, so that renewed ones count from the next one on. */
export interface BrokerTls {
  /** Certificates of the authorities that are trusted, in place of those that Node trusts. */
  caFile?: string;
  /** Certificate of this client, with its intermediates. */
  certFile?: string;
  /** Its private key, without a passphrase. */
  keyFile?: string;
  /** The name that the broker's certificate must be for. Default: the host of the address. */
  serverName?: string;
  /** Logs in by the client certificate (SASL EXTERNAL). The address names the user that it is for, without a password. */
  isExternal?: boolean;
}

/** How to reach the broker and how patiently. */
export interface BrokerOptions {
  /**
   * `amqp://` or `amqps://` URL, or several separated by commas: each is tried in turn. The password never reaches a log or an
   * error.
   */
  url: string;
  /** How to speak TLS to `amqps://` addresses, beside the authorities that Node trusts. */
  tls?: BrokerTls;
  /** Shown by RabbitMQ as the connection's name. */
  name: string;
  log?: Log;
  /** What it is told of an alarm, all connections with this know together. Default: one of its own. */
  alarm?: Alarm;
  /** Declared on every connection before anything else; more of it by `declare`. */
  topology?: Topology;
  /** Default 10. A silent connection is given up after two to three of these. */
  heartbeatSeconds?: number;
  /** Default 5000. */
  connectTimeoutMs?: number;
  /** Ceiling of the first reconnect delay; each further attempt doubles it. Default 100. */
  retryMinMs?: number;
  /** Ceiling of every reconnect delay. Default 5000. */
  retryMaxMs?: number;
  /** Source of jitter, for tests. Default `Math.random`. */
  random?: () => number;
  /** Makes amqplib's connection in place of it, for tests: what acts like a `ChannelModel`. */
  dial?: (url: string) => Promise<object>;
}

/** One exchange. `durable` defaults to true. */
export interface ExchangeSpec {
  name: string;
  type: 'topic' | 'fanout' | 'direct' | 'headers';
  durable?: boolean;
  autoDelete?: boolean;
  alternateExchange?: string;
  arguments?: Record<string, unknown>;
}

/** One queue. `durable` defaults to true, `x-queue-type` to `classic`. */
export interface QueueSpec {
  name: string;
  durable?: boolean;
  exclusive?: boolean;
  autoDelete?: boolean;
  arguments?: Record<string, unknown>;
}

/** What is declared on connecting and again after every reconnect: exchanges, then queues, then bindings. */
export interface Topology {
  /** Names of exchanges that somebody else declares. They are looked for first, and nothing is ready while one is missing. */
  expected?: readonly string[];
  exchanges?: ExchangeSpec[];
  queues?: QueueSpec[];
  bindings?: { queue: string; exchange: string; key: string }[];
}

/** Ready messages and consumers of a queue. */
export interface QueueCounts {
  messages: number;
  consumers: number;
}

/** AMQP properties of an outgoing message. Unset ones are not sent. */
export interface PublishProperties {
  messageId?: string | undefined;
  /** Seconds since the epoch, as AMQP has it. */
  timestamp?: number | undefined;
  headers?: Record<string, unknown> | undefined;
  contentType?: string | undefined;
  contentEncoding?: string | undefined;
  correlationId?: string | undefined;
  replyTo?: string | undefined;
  /** Milliseconds to live. */
  expiration?: string | number | undefined;
  persistent?: boolean | undefined;
  /** Ask to be told when no queue takes the message. */
  mandatory?: boolean | undefined;
  type?: string | undefined;
  userId?: string | undefined;
  appId?: string | undefined;
  priority?: number | undefined;
}

/** AMQP properties of a delivered message. */
export interface DeliveryProperties {
  messageId?: string | undefined;
  /** Seconds since the epoch, as AMQP has it. */
  timestamp?: number | undefined;
  contentType?: string | undefined;
  contentEncoding?: string | undefined;
  headers: Record<string, unknown>;
  correlationId?: string | undefined;
  replyTo?: string | undefined;
  userId?: string | undefined;
  type?: string | undefined;
  appId?: string | undefined;
  expiration?: string | undefined;
  /** 2: persistent. */
  deliveryMode?: number | undefined;
  priority?: number | undefined;
}

/**
 * One delivered message. Settle it at most once with `ack`, `requeue` or `drop`; later calls, and calls
 * after its channel has gone, do nothing. Settling works after the consumer was cancelled.
 */
export interface Delivery {
  readonly body: Buffer;
  readonly exchange: string;
  readonly key: string;
  /** The broker has delivered it before; may also be true for a message nobody has seen. */
  readonly redelivered: boolean;
  readonly properties: DeliveryProperties;
  /**
   * The broker may have waited for acknowledgements just before it sent this, so something before it may have been dropped from the
   * queue. Only of a consumer that `tellsWaits`.
   */
  readonly mayFollowWait?: boolean;
  /** Whether `ack`, `requeue` or `drop` was called. */
  readonly isSettled: boolean;
  /** Settling it does nothing any more: it is settled, or its channel has gone and the broker has it again. */
  readonly isVoid: boolean;
  /** Body and properties are needed no more: they are empty from now on, and what is kept until settling is small. */
  forgetContent(): void;
  ack(): void;
  /** Back to its old place in the queue. */
  requeue(): void;
  /** Discarded, or dead-lettered where the queue says so. */
  drop(): void;
}

/** Why in-flight deliveries of a consumer became void. */
export type LostReason = 'channel' | 'cancelled';

/** How to consume one queue. */
export interface ConsumeOptions {
  /** Called synchronously per message. If it throws, the message is requeued and the channel lives on. */
  onDelivery(d: Delivery): void;
  /** In-flight deliveries of this consumer are void from now on; recovery starts by itself. */
  onLost?(why: LostReason): void;
  /** Consuming again. Deliveries may have arrived just before. */
  onRecovered?(): void;
  /** Run before every re-consume: re-declare, re-bind. Throwing means: try again later. */
  prepare?(): Promise<void>;
  /** After `prepare`: the name of the queue to consume, where another has taken the place of the first. */
  nameNow?(): string;
  /** One consumer on the queue, refused by the broker otherwise. Default false. */
  exclusive?: boolean;
  /** Unacknowledged deliveries at most. Default: that of the channels. */
  prefetch?: number;
  /** Its deliveries say whether the broker may have waited before them. Default false. */
  tellsWaits?: boolean;
  /** False: a consumer that is lost stays so, `cancelled`, and `onLost` is the end of it. Default true. */
  recovers?: boolean;
}

/** A consumer that recovers until it is cancelled. */
export interface Consumer {
  readonly queue: string;
  readonly state: 'active' | 'recovering' | 'cancelled';
  /** Of one that `tellsWaits`: so many deliveries may be on their way. 0: as many as the prefetch lets have come, and the broker waits. */
  readonly room?: number | undefined;
  /**
   * Stops consuming and recovering; idempotent. Deliveries already on their way still arrive until it
   * resolves, on cancel-ok or with the loss of the channel; none after. True: the broker has confirmed it, so what was settled
   * before the call has reached the queue.
   */
  cancel(): Promise<boolean>;
  /**
   * Resolves when everything settled before on this consumer's channel has reached the queue, ahead of any
   * consumer that starts from now on: that one gets the requeued messages first, in their order. Undefined
   * if the channel was lost meanwhile or the queue is gone.
   *
   * The counts may still lack the requeued messages. A classic queue answers a passive declare (priority 7
   * in `rabbit_amqqueue_process:prioritise_call/4`) before it carries out waiting requeues; a basic.consume
   * has the requeues' own priority 0 and waits its turn behind them. Read in 3.10.8 and in 4.x.
   */
  barrier(): Promise<QueueCounts | undefined>;
  /**
   * Unbinds its queue on this consumer's own channel: whoever sees that this consumer is gone sees that done too, or it is never done.
   * Rejects if the channel was lost meanwhile; it is not tried again.
   */
  unbind(exchange: string, key: string): Promise<void>;
}
