import { randomBytes } from 'node:crypto';
import type { Delivery, Publisher } from '@evenkeel/broker';
import { type Mesh, type OwnQueue, readJson } from '@evenkeel/mesh';
import { exchanges, fromUid, refreshKey, replyExchangeHeader } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';

/** How long a question waits for its answer, ms. */
export const answerMs = 5_000;
/** Open questions at most; beyond it there is no answer. */
const maxQuestions = 1_000;
/** Longest answer that is read, bytes. */
export const maxAnswerBytes = 65_536;
/** Answers that wait to be read at most. */
const maxWaiting = 10_000;

/** What came of a question. `unrouted`: nobody is there; `silent`: no answer in time; `unavailable`: the broker does not take it. */
export type Answered =
  | { readonly is: 'answer'; readonly body: unknown }
  | { readonly is: 'unrouted' | 'silent' | 'unavailable' };

export interface QuestionsOptions {
  mesh: Pick<Mesh, 'ownQueue'>;
  publisher: Pick<Publisher, 'publish'>;
  node: string;
  /** Default 1,000. */
  maxQuestions?: number;
}

/**
 * What an edge itself asks over `mesh.inbound`, answered like a client's request. Keys begin with `$`, which no client can send.
 * An answer counts only with the random name of its question: whoever may write to `mesh.replies` cannot guess it.
 */
export class Questions {
  readonly #options: QuestionsOptions;
  readonly #queue: OwnQueue;
  readonly #address: string;
  readonly #open = new Map<string, { readonly key: string; finish(answered: Answered): void }>();

  constructor(options: QuestionsOptions) {
    this.#options = options;
    this.#address = `edge.${options.node}.${randomBytes(12).toString('base64url')}`;
    this.#queue = options.mesh.ownQueue({
      name: `edge.${options.node}.answers`,
      arguments: { 'x-max-length': maxWaiting, 'x-message-ttl': answerMs },
      bindings: [{ exchange: exchanges.replies, key: this.#address }],
      onDelivery: (delivery) => this.#onDelivery(delivery),
    });
  }

  async start(signal?: AbortSignal): Promise<void> {
    await this.#queue.start(signal);
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  /** Never rejects. `about`: whom the question is about. */
  async ask(key: string, about: Pick<TicketClaims, 'uid' | 'sid'>, body: object): Promise<Answered> {
    const { publisher, node, maxQuestions: most = maxQuestions } = this.#options;
    if (this.#open.size >= most) return { is: 'unavailable' };
    const name = randomBytes(16).toString('base64url');
    return await new Promise((resolve) => {
      const finish = (answered: Answered) => {
        clearTimeout(timer);
        this.#open.delete(name);
        resolve(answered);
      };
      const timer = setTimeout(() => finish({ is: 'silent' }), answerMs);
      this.#open.set(name, { key, finish });
      publisher
        .publish(exchanges.inbound, key, JSON.stringify(body), {
          type: 'request',
          contentType: 'application/json',
          messageId: name,
          correlationId: name,
          replyTo: this.#address,
          mandatory: true,
          expiration: answerMs,
          headers: {
            'evenkeel-user': fromUid(about.uid),
            'evenkeel-uid': about.uid,
            'evenkeel-session': about.sid,
            'evenkeel-node': node,
            [replyExchangeHeader]: exchanges.replies,
          },
        })
        .then(
          (outcome) => {
            if (outcome === 'unrouted') finish({ is: 'unrouted' });
          },
          () => finish({ is: 'unavailable' }),
        );
    });
  }

  #onDelivery(delivery: Delivery): void {
    delivery.ack();
    const { correlationId = '', headers } = delivery.properties;
    const question = this.#open.get(correlationId);
    if (question === undefined) return;
    const isError = headers['evenkeel-error'] !== undefined;
    // No gateway answers so: an application that reads the question is not to keep the gateway's answer out.
    if (isError && question.key === refreshKey) return;
    const body = isError || delivery.body.length > maxAnswerBytes ? undefined : readJson(delivery.body);
    question.finish({ is: 'answer', body });
  }
}
