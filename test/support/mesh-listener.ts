import { randomBytes } from 'node:crypto';
import { Broker, type Delivery } from '@evenkeel/broker';
import { vi } from 'vitest';

/** What an application finds on an exchange of the mesh, as the user that applications have. */
export class MeshListener {
  readonly deliveries: Delivery[] = [];
  readonly #broker: Broker;

  private constructor(broker: Broker) {
    this.#broker = broker;
  }

  static async open(amqpUrl: string, exchange: string, key = '#'): Promise<MeshListener> {
    const broker = await Broker.connect({ url: amqpUrl, name: 'mesh listener', attempts: 5 });
    const listener = new MeshListener(broker);
    const name = `service.shop.${randomBytes(4).toString('hex')}`;
    const topology = broker.topology();
    await topology.declareQueue({ name, durable: false, exclusive: true });
    await topology.bind(name, exchange, key);
    await broker.consumers({ channels: 1 }).consume(name, {
      onDelivery: (delivery) => {
        listener.deliveries.push(delivery);
        delivery.ack();
      },
    });
    return listener;
  }

  /** The bodies, as JSON. */
  get bodies(): Record<string, unknown>[] {
    return this.deliveries.map(({ body }) => JSON.parse(body.toString()) as Record<string, unknown>);
  }

  /** What happened to a session, in order: `opened`, …, with the reason where there is one. */
  happenings({ sid }: { readonly sid: string }): string[] {
    return this.deliveries.flatMap(({ key, body }) => {
      const { session, reason } = JSON.parse(body.toString()) as { session: string; reason?: string };
      const what = key.split('.').at(-1) ?? '';
      return session === sid ? [reason === undefined ? what : `${what} ${reason}`] : [];
    });
  }

  /** Waits until that has happened to the session, and nothing else. */
  async happened(session: { readonly sid: string }, expected: string[], timeoutMs = 10_000): Promise<void> {
    await vi.waitFor(
      () => {
        const seen = this.happenings(session);
        if (JSON.stringify(seen) !== JSON.stringify(expected))
          throw new Error(`happened: ${seen.join(', ')}; expected: ${expected.join(', ')}`);
      },
      { timeout: timeoutMs, interval: 50 },
    );
  }

  async count(count: number, timeoutMs = 10_000): Promise<void> {
    await vi.waitFor(
      () => {
        if (this.deliveries.length < count)
          throw new Error(`${this.deliveries.length} of ${count} have come`);
      },
      { timeout: timeoutMs, interval: 20 },
    );
  }

  async close(): Promise<void> {
    await this.#broker.close();
  }
}
