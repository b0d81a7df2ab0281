import { randomBytes, randomUUID } from 'node:crypto';
import type {
  ConsumerChannels,
  Delivery,
  PublishOutcome,
  PublishProperties,
  TopologyChannels,
} from '@evenkeel/broker';
import {
  answersHeader,
  askErrors,
  asking,
  atHeader,
  errorHeader,
  exchanges,
  questionKey,
  sessionHeader,
  toUid,
  type Want,
  wantHeader,
} from '@evenkeel/protocol';
import { AskError, PublisherError } from './errors.js';
import { dataOf } from './inbound.js';
import { bodyOf, checkedKey, checkName, contentTypeOf } from './message.js';
import type { AskOptions, SessionAnswer } from './types.js';

export interface AsksOptions {
  /** Of the application service. */
  readonly name: string;
  readonly publisher: {
    publish(
      exchange: string,
      key: string,
      body: Buffer,
      properties: PublishProperties,
    ): Promise<PublishOutcome>;
  };
  /** Where answers are consumed. */
  consuming(): Promise<{
    readonly topology: Pick<TopologyChannels, 'declareExactly'>;
    readonly consumers: Pick<ConsumerChannels, 'consume'>;
  }>;
}

interface Open {
  readonly want: Want;
  readonly answers: SessionAnswer[];
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** How long the queue of answers is kept while nobody consumes it, ms, and how many messages it holds. */
const queueArguments = { 'x-expires': 60_000, 'x-max-length': 10_000 };

/** Asks users' clients, and gathers what they answer. */
export class Asks {
  readonly #options: AsksOptions;
  readonly #queue: string;
  readonly #open = new Map<string, Open>();
  #listening: Promise<void> | undefined;

  constructor(options: AsksOptions) {
    this.#options = options;
    this.#queue = `service.${options.name}.answers:${randomBytes(9).toString('base64url')}`;
  }

  /** @throws AskError, PublisherError, NameError, BrokerError */
  async ask(user: string, method: string, data: unknown, options: AskOptions): Promise<unknown> {
    const { want = 'first', timeoutMs = asking.timeoutMs } = options;
    checkName('method', method);
    const key = checkedKey(questionKey(toUid(user), method));
    if (want !== 'first' && want !== 'all')
      throw new PublisherError('bad-option', "want is 'first' or 'all'");
    const { maxTimeoutMs } = asking;
    if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > maxTimeoutMs)
      throw new PublisherError('bad-option', `timeoutMs is a whole number from 1 to ${maxTimeoutMs}`);
    const value = data ?? null;
    const contentType = contentTypeOf(value);
    if (contentType !== 'application/json')
      throw new PublisherError('bad-body', 'a question is JSON; give bytes as text');
    const body = bodyOf(value, contentType);
    this.#listening ??= this.#listen();
    await this.#listening.catch((error: unknown) => {
      this.#listening = undefined;
      throw error;
    });
    const correlationId = randomUUID();
    const answer = this.#answerOf(correlationId, want, timeoutMs);
    const properties = {
      contentType,
      correlationId,
      replyTo: this.#queue,
      expiration: timeoutMs,
      headers: { [wantHeader]: want, [atHeader]: Date.now() },
      mandatory: true,
    };
    this.#options.publisher.publish(exchanges.ask, key, body, properties).then(
      (outcome) => {
        const message = 'no balancer takes questions to clients: it is older than this, or has not begun';
        if (outcome === 'unrouted') this.#reject(correlationId, new AskError(askErrors.notReady, message));
      },
      (error: Error) => this.#reject(correlationId, error),
    );
    return await answer;
  }

  /** Whoever still waits waits no more. */
  close(error: Error): void {
    for (const id of [...this.#open.keys()]) this.#reject(id, error);
  }

  #answerOf(id: string, want: Want, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const late = () => {
        const message = `nothing was answered within ${timeoutMs} ms, nor by the mesh; it may have been asked`;
        this.#reject(id, new AskError(askErrors.timeout, message));
      };
      const timer = setTimeout(late, timeoutMs + asking.graceMs);
      const over = () => {
        clearTimeout(timer);
        this.#open.delete(id);
      };
      this.#open.set(id, {
        want,
        answers: [],
        resolve: (value) => {
          over();
          resolve(value);
        },
        reject: (error) => {
          over();
          reject(error);
        },
      });
    });
  }

  #reject(id: string, error: Error): void {
    this.#open.get(id)?.reject(error);
  }

  async #listen(): Promise<void> {
    const { topology, consumers } = await this.#options.consuming();
    const prepare = async () => {
      await topology.declareExactly({ name: this.#queue, arguments: queueArguments });
    };
    await prepare();
    await consumers.consume(this.#queue, { prepare, onDelivery: (delivery) => this.#take(delivery) });
  }

  #take(delivery: Delivery): void {
    const open = this.#open.get(delivery.properties.correlationId ?? '');
    if (open !== undefined) this.#give(open, delivery);
    delivery.ack();
  }

  #give(open: Open, delivery: Delivery): void {
    const { headers } = delivery.properties;
    const { [sessionHeader]: session, [errorHeader]: code } = headers;
    const of = typeof session === 'string' ? session : undefined;
    const error =
      typeof code === 'string' ? new AskError(code, delivery.body.toString('utf8'), of) : undefined;
    if (of === undefined && error !== undefined) return open.reject(error);
    if (of === undefined) return open.resolve([...open.answers, ...silentOnes(delivery)]);
    if (open.want === 'all')
      open.answers.push(
        error === undefined ? { session: of, data: dataOf(delivery) } : { session: of, error },
      );
    else if (error !== undefined) open.reject(error);
    else open.resolve(dataOf(delivery));
  }
}

/** Sessions that have not answered in time, by the message that ends the answers of all. */
function silentOnes(delivery: Delivery): SessionAnswer[] {
  if (delivery.properties.headers[answersHeader] === undefined) return [];
  const { silent } = dataOf(delivery) as { silent: string[] };
  const message = 'the session has not answered in time';
  return silent.map((session) => ({ session, error: new AskError(askErrors.timeout, message, session) }));
}
