import { randomUUID } from 'node:crypto';
import { Broker, type Delivery, type Publisher } from '@evenkeel/broker';
import { exchanges } from '@evenkeel/protocol';
import { vi } from 'vitest';
import type { EdgeMesh } from './edge.js';

/** A request as it has come, and how it is answered. */
export interface Asked {
  readonly method: string;
  readonly id: string;
  readonly correlationId: string;
  readonly replyTo: string;
  readonly data: unknown;
}

interface Cancelled {
  readonly key: string;
  readonly type: string | undefined;
  readonly body: { id: string; n?: number };
}

/** The application `shop` in plain AMQP, as any language has it: it answers by hand, and hears what is cancelled. */
export class PlainService {
  readonly asked: Asked[] = [];
  readonly cancelled: Cancelled[] = [];
  readonly #broker: Broker;
  readonly #publisher: Publisher;

  private constructor(broker: Broker) {
    this.#broker = broker;
    this.#publisher = broker.publisher();
  }

  /** Consumes requests whose methods begin with `shop`. */
  static async open(mesh: EdgeMesh): Promise<PlainService> {
    const broker = await Broker.connect({ url: mesh.urlFor('app-shop'), name: 'plain service', attempts: 5 });
    const service = new PlainService(broker);
    await service.#listen(exchanges.inbound, 'shop.#', (delivery) => service.asked.push(askedOf(delivery)));
    await service.#listen(exchanges.cancel, '#', ({ key, properties, body }) =>
      service.cancelled.push({ key, type: properties.type, body: JSON.parse(body.toString()) }),
    );
    mesh.defer(() => broker.close());
    return service;
  }

  /** The request with this id, once it has come. */
  async request(correlationId: string): Promise<Asked> {
    return await vi.waitUntil(() => this.asked.find((each) => each.correlationId === correlationId), {
      timeout: 10_000,
      interval: 10,
    });
  }

  /** One message of an answer; resolves with whether anybody gets it. */
  async say(asked: Asked, data: unknown, headers: Record<string, unknown> = {}): Promise<boolean> {
    const { replyTo, correlationId } = asked;
    const outcome = await this.#publisher.publish(exchanges.replies, replyTo, JSON.stringify(data), {
      correlationId,
      contentType: 'application/json',
      headers,
      mandatory: true,
    });
    return outcome === 'routed';
  }

  /** Parts `from` to `to`, each with its number as data. */
  async parts(asked: Asked, from: number, to: number, headers: object = {}): Promise<void> {
    for (let n = from; n <= to; n += 1) await this.say(asked, n, { 'evenkeel-part': n, ...headers });
  }

  async #listen(exchange: string, key: string, take: (delivery: Delivery) => void): Promise<void> {
    const topology = this.#broker.topology();
    const queue = `service.shop.${randomUUID()}`;
    await topology.declareQueue({ name: queue, autoDelete: true, durable: false, arguments: {} });
    await topology.bind(queue, exchange, key);
    await this.#broker.consumers({ channels: 1 }).consume(queue, {
      onDelivery: (delivery) => {
        take(delivery);
        delivery.ack();
      },
    });
  }
}

function askedOf({ key, properties, body }: Delivery): Asked {
  const { messageId = '', correlationId = '', replyTo = '' } = properties;
  return { method: key, id: messageId, correlationId, replyTo, data: JSON.parse(body.toString()) };
}
