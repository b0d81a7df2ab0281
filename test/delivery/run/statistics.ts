import { setTimeout as sleep } from 'node:timers/promises';
import { exchanges } from '@evenkeel/protocol';
import { type ConsumeMessage, connect } from 'amqplib';
import type { Fault } from './fault.js';

const again = 'chaos-again';

/**
 * Whatever edges report is there once more, `lateMs` later, each batch of it in the opposite order: as from a broker that had
 * held it up.
 */
const repeated =
  (lateMs: number): Fault['begin'] =>
  async ({ broker }) => {
    const [url = ''] = broker.amqpUrl.split(',');
    const [own = ''] = broker.urlFor('edge').split(',');
    const hearing = await connect(url);
    // In the name that they are reported in.
    const saying = await connect(own);
    for (const each of [hearing, saying]) each.on('error', () => undefined);
    const [ear, mouth] = [await hearing.createChannel(), await saying.createChannel()];
    for (const each of [ear, mouth]) each.on('error', () => undefined);
    const { queue } = await ear.assertQueue('', { exclusive: true });
    await ear.bindQueue(queue, exchanges.stats, 'stats.*');
    let waiting: ConsumeMessage[] = [];
    let count = 0;
    await ear.consume(
      queue,
      (message) => {
        if (message?.properties.headers?.[again] === undefined && message !== null) waiting.push(message);
      },
      { noAck: true },
    );
    const say = async (): Promise<void> => {
      const batch = waiting.reverse();
      waiting = [];
      await sleep(lateMs);
      for (const { fields, properties, content } of batch) {
        const headers = { ...properties.headers, [again]: true };
        // Of edges alone: nobody else may speak in their name.
        mouth.publish(exchanges.stats, fields.routingKey, content, {
          ...properties,
          headers,
          userId: 'edge',
        });
        count += 1;
      }
    };
    const batches: Promise<void>[] = [];
    const timer = setInterval(() => batches.push(say()), 1_500);
    return {
      end: async () => {
        clearInterval(timer);
        await Promise.all(batches);
        await Promise.allSettled([hearing.close(), saying.close()]);
        return count > 0 ? `${count} reports came again` : undefined;
      },
    };
  };

export const statistics = {
  'statistics-doubled': { part: 'statistics', holdMs: 8_000, begin: repeated(0) },
  'statistics-late': { part: 'statistics', holdMs: 10_000, begin: repeated(4_000) },
} as const satisfies Readonly<Record<string, Fault>>;
