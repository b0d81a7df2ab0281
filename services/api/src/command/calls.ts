import { randomUUID } from 'node:crypto';
import { type Mesh, type OwnQueue, readJson } from '@evenkeel/mesh';
import { Refusal } from '@evenkeel/runtime';
import { jsonOf } from '../contract/written-json.js';

/** Answers waiting to be read at most. */
const maxAnswers = 10_000;

/** An answer that has come. */
export interface Heard {
  /** Undefined: it is no JSON. */
  readonly body: unknown;
  readonly text: () => string;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface Call {
  readonly exchange: string;
  readonly key: string;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
  /** Identity of what is asked: sent again, it is answered again and not done again. */
  readonly id?: string;
  readonly waitMs: number;
  /** Its answer is waited for so much longer. */
  readonly graceMs?: number;
  /** Of a call that nobody answers. */
  readonly missing: string;
}

/** What a publisher waits for the broker at most, ms; a longer life is the message's own. */
const longestPublishMs = 30_000;

interface Waiting {
  hear(heard: Heard): void;
}

/** Asks others of the mesh by the broker, and hears their answers in a queue of this process. */
export class Calls {
  readonly queue: OwnQueue;
  readonly #mesh: Pick<Mesh, 'publisher' | 'user'>;
  readonly #waiting = new Map<string, Waiting>();
  readonly #publisher: Mesh['publisher'];

  /** Make it while building, before the mesh is started. */
  constructor(mesh: Pick<Mesh, 'publisher' | 'user' | 'ownQueue'>) {
    this.#mesh = mesh;
    this.#publisher = mesh.publisher;
    this.queue = mesh.ownQueue({
      name: 'api.answers',
      arguments: { 'x-max-length': maxAnswers, 'x-overflow': 'drop-head' },
      onDelivery: (delivery) => {
        delivery.ack();
        const { correlationId = '', headers } = delivery.properties;
        const { body } = delivery;
        this.#waiting
          .get(correlationId)
          ?.hear({ body: readJson(body), text: () => body.toString('utf8'), headers });
      },
    });
  }

  /** What comes first. @throws Refusal `unavailable`; BrokerError */
  async ask(call: Call): Promise<Heard> {
    const [first] = await this.gather(call, () => true);
    return first as Heard;
  }

  /** What comes, up to the one that `isLast`. @throws Refusal `unavailable`; BrokerError */
  async gather(
    { exchange, key, body, headers, id = randomUUID(), waitMs, graceMs = 0, missing }: Call,
    isLast: (heard: Heard) => boolean,
  ): Promise<Heard[]> {
    const readiness = this.queue.readiness();
    if (readiness !== true) throw unavailable(readiness);
    const correlationId = randomUUID();
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<Heard[]>((resolve, reject) => {
      const all: Heard[] = [];
      this.#waiting.set(correlationId, {
        hear: (heard) => {
          all.push(heard);
          if (isLast(heard)) resolve(all);
        },
      });
      timer = setTimeout(() => reject(unavailable(missing)), waitMs + graceMs);
    });
    const properties = {
      messageId: id,
      correlationId,
      replyTo: this.queue.name,
      contentType: 'application/json',
      userId: this.#mesh.user,
      mandatory: true,
      ...(headers && { headers }),
      ...(waitMs > longestPublishMs && { expiration: waitMs }),
    };
    const withinMs = waitMs > longestPublishMs ? undefined : waitMs;
    try {
      // Who takes it after that would do what was reported as failed.
      const sent = this.#publisher.publish(exchange, key, jsonOf(body), properties, withinMs);
      const unheard = sent.then((outcome) =>
        outcome === 'routed' ? answer : Promise.reject(unavailable(missing)),
      );
      return await Promise.race([answer, unheard]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(correlationId);
    }
  }
}

const unavailable = (message: string): Refusal =>
  new Refusal(503, 'unavailable', message, { 'retry-after': '1' });
