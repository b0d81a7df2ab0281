import { setTimeout as sleep } from 'node:timers/promises';
import { exchanges } from '@evenkeel/protocol';
import { type Channel, type ChannelModel, type ConsumeMessage, connect } from 'amqplib';
import type { Fault } from './fault.js';
import type { Stage } from './stage.js';

const again = 'chaos-again';
/** It is waited so long for a report that comes again. */
const patienceMs = 30_000;
/** A broker that is being reset takes connections and says nothing. */
const linkMs = 10_000;

interface Link {
  readonly mouth: Channel;
  readonly closed: Promise<void>;
  close(): void;
}

/** A node of several may be down. */
async function connectTo(urls: string): Promise<ChannelModel> {
  const [first = '', ...others] = urls.split(',');
  return await connect(first, { timeout: linkMs }).catch((error: unknown) => {
    if (others.length === 0) throw error;
    return connectTo(others.join());
  });
}

/** Hears what edges report, and may say it once more, in the name that it is reported in. */
async function linkTo(
  { amqpUrl, urlFor }: Stage['broker'],
  onReport: (message: ConsumeMessage) => void,
): Promise<Link> {
  const both = await Promise.all([connectTo(amqpUrl), connectTo(urlFor('edge'))]);
  const [hearing, saying] = both;
  for (const each of both) each.on('error', () => undefined);
  // One without the other is of no use.
  const ends = both.map((each) => new Promise<void>((resolve) => each.once('close', () => resolve())));
  const closed = Promise.race(ends).then(async () => {
    // One that is being reset answers nobody.
    const closing = Promise.allSettled(both.map(async (each) => await each.close()));
    await Promise.race([closing, sleep(1_000)]);
  });
  const [ear, mouth] = [await hearing.createChannel(), await saying.createChannel()];
  for (const each of [ear, mouth]) each.on('error', () => undefined);
  const { queue } = await ear.assertQueue('', { exclusive: true });
  await ear.bindQueue(queue, exchanges.stats, 'stats.*');
  await ear.consume(
    queue,
    (message) => {
      if (message?.properties.headers?.[again] === undefined && message !== null) onReport(message);
    },
    { noAck: true },
  );
  const close = () => void saying.close().catch(() => undefined);
  return { mouth, closed, close };
}

/**
 * Whatever edges report is there once more, `lateMs` later, each batch of it in the opposite order: as from a broker that had
 * held it up.
 */
const repeated =
  (lateMs: number): Fault['begin'] =>
  async ({ broker }) => {
    let waiting: ConsumeMessage[] = [];
    let count = 0;
    let link: Link | undefined;
    let isOver = false;
    /** Another fault may close its connections meanwhile. */
    const listen = async (): Promise<void> => {
      while (!isOver) {
        const linking = linkTo(broker, (message) => waiting.push(message)).catch(() => undefined);
        link = await Promise.race([linking, sleep(linkMs, undefined, { ref: false })]);
        await link?.closed;
        link = undefined;
        await sleep(200);
      }
    };
    const listening = listen();
    const say = async (): Promise<void> => {
      const batch = waiting.reverse();
      waiting = [];
      await sleep(lateMs);
      for (const { fields, properties, content } of batch) {
        if (link === undefined) return;
        const headers = { ...properties.headers, [again]: true };
        // Of edges alone: nobody else may speak in their name.
        try {
          link.mouth.publish(exchanges.stats, fields.routingKey, content, {
            ...properties,
            headers,
            userId: 'edge',
          });
        } catch {
          // Its channel has gone a moment before the connection.
          return;
        }
        count += 1;
      }
    };
    const batches: Promise<void>[] = [];
    const timer = setInterval(() => batches.push(say()), 1_500);
    return {
      end: async () => {
        clearInterval(timer);
        await Promise.all(batches);
        // However short it was to be, and whatever else is done to the broker.
        const endsAtMs = performance.now() + patienceMs;
        while (count === 0 && performance.now() < endsAtMs) await Promise.all([say(), sleep(1_000)]);
        isOver = true;
        link?.close();
        await Promise.race([listening, sleep(linkMs)]);
        return count > 0 ? `${count} reports came again` : undefined;
      },
    };
  };

export const statistics = {
  'statistics-doubled': { part: 'statistics', holdMs: 8_000, begin: repeated(0) },
  'statistics-late': { part: 'statistics', holdMs: 10_000, begin: repeated(4_000) },
} as const satisfies Readonly<Record<string, Fault>>;
