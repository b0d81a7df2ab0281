import type { Channel, ConsumeMessage } from 'amqplib';
import { describe, expect, it, vi } from 'vitest';
import { IncomingDelivery } from './delivery.js';

const message = {
  content: Buffer.from('x'),
  fields: { deliveryTag: 7, exchange: 'e', routingKey: 'k', redelivered: false, consumerTag: 'c' },
  properties: {},
} as unknown as ConsumeMessage;

function incarnation(isOpen: boolean) {
  const calls = { ack: vi.fn(), nack: vi.fn() };
  return { calls, at: { channel: calls as unknown as Channel, ack: calls.ack, isOpen } };
}

describe('IncomingDelivery', () => {
  it('settles once, whatever is called after', () => {
    const { at, calls } = incarnation(true);
    const delivery = new IncomingDelivery(message, at);
    delivery.requeue();
    delivery.ack();
    delivery.drop();
    delivery.requeue();
    expect(calls.nack.mock.calls).toEqual([[message, false, true]]);
    expect(calls.ack).not.toHaveBeenCalled();
    expect(delivery.isSettled).toBe(true);
  });

  it('sends nothing once its channel has gone', () => {
    const { at, calls } = incarnation(false);
    new IncomingDelivery(message, at).ack();
    new IncomingDelivery(message, at).drop();
    expect(calls.ack).not.toHaveBeenCalled();
    expect(calls.nack).not.toHaveBeenCalled();
  });

  it('can be settled after its content is forgotten', () => {
    const { at, calls } = incarnation(true);
    const delivery = new IncomingDelivery(message, at);
    delivery.forgetContent();
    expect([delivery.body.length, delivery.properties, delivery.key]).toEqual([0, { headers: {} }, 'k']);
    delivery.requeue();
    expect(calls.nack.mock.calls[0]?.[0].fields.deliveryTag).toBe(7);
  });

  it('has headers even where the message has none', () => {
    expect(new IncomingDelivery(message, incarnation(true).at).properties.headers).toEqual({});
  });
});
