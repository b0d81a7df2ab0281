import { randomBytes, randomUUID } from 'node:crypto';
import type { Delivery } from '@evenkeel/broker';
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
import { AnswerQueue, type AskingOptions } from './answer-queue.js';
import { AskError, PublisherError } from './errors.js';
import { dataOf } from './inbound.js';
import { bodyOf, checkedKey, checkName, contentTypeOf } from './message.js';
import type { AskOptions, SessionAnswer } from './types.js';

interface Open {
  readonly want: Want;
  readonly answers: SessionAnswer[];
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Asks users' clients, and gathers what they answer. */
export class Asks {
  readonly #publisher: AskingOptions['publisher'];
  readonly #queue: string;
  readonly #answers: AnswerQueue;
  readonly #open = new Map<string, Open>();

  constructor({ name, publisher, consuming }: AskingOptions) {
    this.#publisher = publisher;
    this.#queue = `service.${name}.answers:${randomBytes(9).toString('base64url')}`;
    const onDelivery = (delivery: Delivery) => this.#take(delivery);
    this.#answers = new AnswerQueue({ queue: this.#queue, consuming, onDelivery });
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
    const leftMs = await this.#answers.listenWithin(timeoutMs);
    const correlationId = randomUUID();
    const answer = this.#answerOf(correlationId, want, { leftMs, timeoutMs });
    const properties = {
      contentType,
      correlationId,
      replyTo: this.#queue,
      expiration: leftMs,
      headers: { [wantHeader]: want, [atHeader]: Date.now() },
      mandatory: true,
    };
    this.#publisher.publish(exchanges.ask, key, body, properties).then(
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

  #answerOf(
    id: string,
    want: Want,
    { leftMs, timeoutMs }: { leftMs: number; timeoutMs: number },
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const late = () => {
        const message = `nothing was answered within ${timeoutMs} ms, nor by the mesh; it may have been asked`;
        this.#reject(id, new AskError(askErrors.timeout, message));
      };
      const timer = setTimeout(late, leftMs + asking.graceMs);
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
