import { randomUUID } from 'node:crypto';
import {
  type Broker,
  BrokerError,
  type BrokerErrorCode,
  type Delivery,
  type Log,
  type Publisher,
  type PublishOutcome,
  type PublishProperties,
} from '@evenkeel/broker';
import { OwnQueue } from '@evenkeel/mesh';
import {
  exchanges,
  type ManageCommand,
  manageKey,
  manageKind,
  queues,
  refusalAnswer,
} from '@evenkeel/protocol';
import { OperatorError, operatorErrorCodes } from './errors.js';

/** What every command may be told. */
export interface CommandOptions {
  /** Identity of the command: sent again with the same id it is answered again, not carried out again. */
  id?: string;
  /** For whom it is sent, 1 to 256 characters. Counts from the broker's user `console` alone; plans and audit then name both. */
  onBehalfOf?: string;
}

/** Answers waiting to be read at most. */
const maxReplies = 10_000;

interface Waiting {
  /** The command's own identity: sent again, it is answered again and not carried out again. */
  readonly id: string;
  /** On the exchange `mesh.manage`. */
  readonly key: string;
  readonly body: string;
  readonly endsAtMs: number;
  readonly timer: NodeJS.Timeout;
  resolve(answer: unknown): void;
  reject(error: OperatorError): void;
}

/** Requests on `mesh.manage` and their answers on an exclusive reply queue. */
export class ManageCalls {
  readonly #broker: Broker;
  readonly #timeoutMs: number;
  readonly #user: string | undefined;
  readonly #waiting = new Map<string, Waiting>();
  readonly #publisher: Publisher;
  readonly #replies: OwnQueue;

  constructor(
    broker: Broker,
    options: { timeoutMs: number; user: string | undefined; log: Log | undefined },
  ) {
    const { timeoutMs, user, log } = options;
    this.#broker = broker;
    this.#timeoutMs = timeoutMs;
    this.#user = user;
    this.#publisher = broker.publisher({ timeoutMs });
    this.#replies = new OwnQueue(broker, {
      name: 'operator',
      arguments: { 'x-max-length': maxReplies },
      onDelivery: (delivery) => this.#answered(delivery),
      // Answers may have gone to the old queue. Commands from before wait, and say now where they are to be answered.
      onRemade: () => {
        for (const [correlationId, waiting] of this.#waiting) void this.#send(correlationId, waiting);
      },
      ...(log === undefined ? {} : { log }),
    });
  }

  async open(): Promise<void> {
    try {
      await this.#replies.start(AbortSignal.timeout(this.#timeoutMs));
    } catch (error) {
      const why = this.#replies.readiness();
      if (why === true) return;
      throw new OperatorError(
        operatorErrorCodes.unreachable,
        `${this.#user ?? 'this user'} has no queue for answers after ${this.#timeoutMs / 1_000} s (${why}); log in as operator or viewer`,
        error,
      );
    }
  }

  /** True, or why no command can be sent or answered. */
  readiness(): true | string {
    const broker = this.#broker.readiness();
    return broker === true ? this.#replies.readiness() : broker;
  }

  request(
    command: { readonly command: ManageCommand['command'] },
    { id = randomUUID(), onBehalfOf }: CommandOptions,
  ): Promise<unknown> {
    const correlationId = randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(correlationId)?.reject(
          new OperatorError(
            operatorErrorCodes.timeout,
            `no balancer answered within ${this.#timeoutMs / 1_000} s; check that one runs and try again`,
          ),
        );
      }, this.#timeoutMs);
      const endsAtMs = performance.now() + this.#timeoutMs;
      const key = manageKey(manageKind(command.command), command.command);
      const body = JSON.stringify({ ...command, onBehalfOf });
      const waiting = { id, key, body, endsAtMs, timer, resolve, reject };
      this.#waiting.set(correlationId, waiting);
      if (this.#replies.isReady) void this.#send(correlationId, waiting);
    });
  }

  async send(key: string, body: unknown): Promise<boolean> {
    try {
      return (await this.#publish(exchanges.events, key, JSON.stringify(body), {})) === 'routed';
    } catch (error) {
      throw unreachable(error);
    }
  }

  async close(): Promise<void> {
    for (const id of [...this.#waiting.keys()]) {
      this.#settle(id)?.reject(new OperatorError(operatorErrorCodes.closed, 'the operator was closed'));
    }
    await this.#replies.stop();
  }

  /** A balancer that takes it after its time would carry out what was reported as failed: so it expires by then. */
  async #send(correlationId: string, { id, key, body, endsAtMs }: Waiting): Promise<void> {
    const properties = { messageId: id, correlationId, replyTo: this.#replies.name };
    const publish = (exchange: string, routingKey: string) =>
      this.#publish(exchange, routingKey, body, properties, Math.max(1, endsAtMs - performance.now()));
    try {
      if ((await outcomeOf(publish(exchanges.manage, key), 'no-exchange')) === 'routed') return;
      // A balancer of before the exchange has the queue alone, which not everybody may write to.
      if ((await outcomeOf(publish('', queues.manage), 'publish-refused')) === 'routed') return;
      throw new OperatorError(
        operatorErrorCodes.noBalancer,
        `there is no queue ${queues.manage}: no balancer has run on this RabbitMQ; start one`,
      );
    } catch (error) {
      const isRefused = error instanceof BrokerError && error.code === 'publish-refused';
      const user = this.#user ?? 'this user';
      this.#settle(correlationId)?.reject(
        isRefused
          ? new OperatorError(
              operatorErrorCodes.forbidden,
              `RabbitMQ does not let ${user} send ${key}`,
              error,
            )
          : unreachable(error),
      );
    }
  }

  #publish(exchange: string, key: string, body: string, properties: PublishProperties, waitMs?: number) {
    const all: PublishProperties = {
      messageId: randomUUID(),
      timestamp: Math.floor(Date.now() / 1_000),
      contentType: 'application/json',
      mandatory: true,
      // RabbitMQ checks it against the connection's user, so the audit can rely on it.
      userId: this.#user,
      ...properties,
    };
    return this.#publisher.publish(exchange, key, body, all, waitMs);
  }

  #answered(delivery: Delivery): void {
    delivery.ack();
    const waiting = this.#settle(delivery.properties.correlationId ?? '');
    // An answer after its timeout, or a second one: nobody asks for it any more.
    if (waiting === undefined) return;
    let body: unknown;
    try {
      body = JSON.parse(delivery.body.toString('utf8'));
    } catch (cause) {
      waiting.reject(new OperatorError(operatorErrorCodes.badAnswer, 'the answer is not JSON', cause));
      return;
    }
    const refusal = refusalAnswer.safeParse(body);
    if (refusal.success) {
      const { code, message } = refusal.data.error;
      waiting.reject(new OperatorError(code, message, refusal.data));
    } else waiting.resolve(body);
  }

  #settle(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    return waiting;
  }
}

/** As the operator's error. */
export function unreachable(error: unknown): OperatorError {
  if (error instanceof OperatorError) return error;
  const message = error instanceof BrokerError ? error.message : `RabbitMQ: ${String(error)}`;
  return new OperatorError(operatorErrorCodes.unreachable, message, error);
}

/** What has become of a message that fails with `code` where there is nobody to take it. */
async function outcomeOf(
  publishing: Promise<PublishOutcome>,
  code: BrokerErrorCode,
): Promise<PublishOutcome> {
  try {
    return await publishing;
  } catch (error) {
    if (error instanceof BrokerError && error.code === code) return 'unrouted';
    throw error;
  }
}
