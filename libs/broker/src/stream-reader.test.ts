import { EventEmitter, getEventListeners } from 'node:events';
import type { ConsumeMessage } from 'amqplib';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { AmqpConnection } from './connection.js';
import { StreamReader } from './stream-reader.js';

interface Asked {
  readonly arguments: { readonly 'x-stream-offset': string | number };
}

/** A channel on which a stream of so many records is read. */
class StreamChannel extends EventEmitter {
  readonly count: number;

  constructor(count: number) {
    super();
    this.count = count;
  }

  async prefetch(): Promise<void> {}
  async cancel(): Promise<void> {}
  async close(): Promise<void> {}

  async checkQueue() {
    return { messageCount: this.count, consumerCount: 1 };
  }

  async consume(_queue: string, onMessage: (message: ConsumeMessage) => void, { arguments: asked }: Asked) {
    const offset = asked['x-stream-offset'];
    const named = offset === 'last' ? this.count - 1 : 0;
    const from = typeof offset === 'number' ? offset : named;
    queueMicrotask(() => {
      for (let n = from; n < this.count; n += 1) onMessage(recordOf(n));
    });
    return { consumerTag: 'c' };
  }
}

const recordOf = (offset: number) =>
  ({
    fields: { exchange: 'mesh.events', routingKey: 'topic.a', deliveryTag: offset + 1, redelivered: false },
    properties: { headers: { 'x-stream-offset': offset } },
    content: Buffer.alloc(0),
  }) as unknown as ConsumeMessage;

it('of a reading that its first record ends nothing more is told, also where that is the last of the stream', async () => {
  const count = 3;
  const connection = {
    model: { createChannel: async () => new StreamChannel(count) },
    whenOpen: async () => {},
    acks: { of: () => () => {} },
    counts: () => {},
    log: { warn: () => {}, error: () => {} },
    random: () => 0,
  } as unknown as AmqpConnection;
  const told: string[] = [];
  let isFirst = true;
  const listener = {
    onStart: () => void told.push('start'),
    onRecord: (_: unknown, offset: number) => {
      told.push(`record ${offset}`);
      const isToGoOn = !isFirst;
      isFirst = false;
      return isToGoOn;
    },
    onCaughtUp: () => void told.push('caught up'),
    onLost: (why: string) => void told.push(why),
  };
  const from = (last: number) => (isFirst ? last : 'first');
  const reader = new StreamReader(connection, 'history.a', listener, { from });
  reader.start();
  await vi.waitFor(() => expect(told).toContain('caught up'), 5_000);
  expect(told).toEqual([
    'start',
    'record 2',
    'it begins anew',
    'start',
    'record 0',
    'record 1',
    'record 2',
    'caught up',
  ]);
  await reader.stop();
});

it('keeps nothing of attempts that came to nothing', async () => {
  const added = vi.spyOn(EventTarget.prototype, 'addEventListener');
  onTestFinished(() => added.mockRestore());
  const connection = {
    model: { createChannel: () => Promise.reject(new Error('no stream')) },
    whenOpen: async () => {},
    counts: () => {},
    log: { warn: () => {}, error: () => {} },
    random: () => 0,
  } as unknown as AmqpConnection;
  let lost = 0;
  const reader = new StreamReader(connection, 'history.a', {
    onStart: () => {},
    onRecord: () => true,
    onCaughtUp: () => {},
    onLost: () => void lost++,
  });
  reader.start();
  await vi.waitFor(() => expect(lost).toBeGreaterThan(5), 10_000);
  const [signal] = added.mock.contexts.filter((context) => context instanceof AbortSignal);
  expect(signal && getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(2);
  await reader.stop();
});
