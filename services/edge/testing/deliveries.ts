import type { Delivery, DeliveryProperties } from '@evenkeel/broker';

export type DeliveryOver = Omit<Partial<Delivery>, 'properties'> & {
  properties?: Partial<DeliveryProperties>;
};

/** Makes deliveries, and remembers what was settled, in the order it was. */
export class Deliveries {
  readonly settled: string[] = [];
  /** The same of seals. */
  readonly seals: string[] = [];

  /** A directed event with `n` as its body. */
  event(n: number, over: DeliveryOver = {}): Delivery {
    return {
      body: Buffer.from(String(n)),
      exchange: 'mesh.events',
      key: 'user.alice.order.created',
      redelivered: false,
      isSettled: false,
      isVoid: false,
      forgetContent: () => {},
      ack: () => void this.settled.push(`ack ${n}`),
      requeue: () => void this.settled.push(`requeue ${n}`),
      drop: () => void this.settled.push(`drop ${n}`),
      ...over,
      properties: { messageId: `m${n}`, timestamp: 1_700_000_000, headers: {}, ...over.properties },
    };
  }

  /** A seal of this name. */
  seal(name: string): Delivery {
    const headers = { 'evenkeel-seal': name };
    return {
      ...this.event(0, { exchange: 'mesh.replies', redelivered: true, properties: { headers } }),
      ack: () => void this.seals.push(`ack ${name}`),
      requeue: () => void this.seals.push(`requeue ${name}`),
    };
  }

  /** A service's reply to the request `id`. */
  reply(n: number, id: string): Delivery {
    return this.event(n, { exchange: '', properties: { correlationId: id } });
  }
}
