import { randomUUID } from 'node:crypto';
import { type Mesh, type OwnQueue, readJson } from '@evenkeel/mesh';
import { Refusal } from '@evenkeel/runtime';

/** Answers waiting to be read at most. */
const maxAnswers = 10_000;

/** An answer that has come. */
export interface Heard {
  readonly body: unknown;
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
  /** Of a call that nobody answers. */
  readonly missing: string;
}

interface Waiting {
  resolve(heard: Heard): void;
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
        this.#waiting.get(correlationId)?.resolve({ body: readJson(delivery.body), headers });
      },
    });
  }

  /** What comes first. @throws Refusal `unavailable`; BrokerError */
  async ask({ exchange, key, body, headers, id = randomUUID(), waitMs, missing }: Call): Promise<Heard> {
    const readiness = this.queue.readiness();
    if (readiness !== true) throw unavailable(readiness);
    const correlationId = randomUUID();
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<Heard>((resolve, reject) => {
      this.#waiting.set(correlationId, { resolve });
      timer = setTimeout(() => reject(unavailable(missing)), waitMs);
    });
    const properties = {
      messageId: id,
      correlationId,
      replyTo: this.queue.name,
      contentType: 'application/json',
      userId: this.#mesh.user,
      mandatory: true,
      ...(headers && { headers }),
    };
    try {
      // Who takes it after that would do what was reported as failed.
      const sent = this.#publisher.publish(exchange, key, JSON.stringify(body), properties, waitMs);
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
