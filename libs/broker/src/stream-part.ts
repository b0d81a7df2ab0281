import type { ConsumeMessage } from 'amqplib';
import { type AmqpConnection, unavailableError } from './connection.js';
import { IncomingDelivery } from './delivery.js';
import type { StreamRecord } from './stream-reader.js';
import { closeChannel, openChannel } from './topology.js';

/** Records on their way at most. */
const prefetch = 2_000;
/** Acknowledged together. */
const ackEvery = 500;

/** What of a stream is read once. */
export interface StreamPart {
  /** The first record, or the first of those that are left. */
  readonly from: number | 'first';
  /** Given up after this, or when nothing has come for so long as `quietMs`. */
  readonly timeoutMs: number;
  readonly quietMs: number;
  /** Returns true when no more is wanted. */
  onRecord(record: StreamRecord, offset: number): boolean;
}

/** Resolves with true when no more was wanted; false when nothing more came, or time was up. */
export async function readStreamPart(
  connection: AmqpConnection,
  queue: string,
  { from, timeoutMs, quietMs, onRecord }: StreamPart,
): Promise<boolean> {
  const { model } = connection;
  if (model === undefined) throw unavailableError(0);
  const channel = await openChannel(model);
  try {
    await channel.prefetch(prefetch);
    return await new Promise<boolean>((resolve, reject) => {
      let quiet: NodeJS.Timeout | undefined;
      const timer = setTimeout(() => finish(false), timeoutMs);
      const finish = (isDone: boolean) => {
        clearTimeout(timer);
        clearTimeout(quiet);
        isOver = true;
        resolve(isDone);
      };
      let isOver = false;
      let got = 0;
      channel.on('close', () => finish(false));
      quiet = setTimeout(() => finish(false), quietMs);
      const onMessage = (message: ConsumeMessage | null) => {
        if (isOver) return;
        if (message === null) return finish(false);
        got += 1;
        quiet?.refresh();
        const offset = Number(message.properties.headers?.['x-stream-offset']);
        const record = new IncomingDelivery(message, { channel, isOpen: true, ack: () => {} });
        if (onRecord(record, offset)) finish(true);
        else if (got % ackEvery === 0) channel.ack(message, true);
      };
      channel.consume(queue, onMessage, { arguments: { 'x-stream-offset': from } }).catch(reject);
    });
  } finally {
    await closeChannel(channel);
  }
}
