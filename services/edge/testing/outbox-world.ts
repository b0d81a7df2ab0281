import { Outbox } from '../src/session/outbox.js';
import type { OutboxOptions } from '../src/session/outbox-options.js';
import { answersWorld } from './answers.js';
import { Deliveries, type DeliveryOver } from './deliveries.js';
import { FakeConnection } from './fake-connection.js';

type MakeOptions = Partial<OutboxOptions> & { ackMode?: 'client' | 'write'; given?: string };

/** An outbox on a connection and a queue that are played. */
export function outboxWorld({ ackMode = 'client', given, ...options }: MakeOptions = {}) {
  const closed: unknown[] = [];
  const queue = new Deliveries();
  const connection = new FakeConnection();
  const outbox = new Outbox(connection, {
    window: 4,
    highWatermarkBytes: 100,
    maxEventBytes: 1_000,
    answers: answersWorld().answers,
    now: () => 7,
    onWritten: () => {},
    onReplied: () => {},
    onTooLarge: () => {},
    onExpired: () => {},
    onAway: () => {},
    givenUp: { closed: (_, code, id) => void closed.push([code, id]), of: () => given },
    unsent: { take: (delivery) => delivery.drop() },
    onSettling: () => {},
    ...options,
  });
  outbox.ackMode = ackMode;
  outbox.before.suspect = 0;
  const offer = (from: number, to: number, over: DeliveryOver = {}) => {
    for (let n = from; n <= to; n += 1) outbox.offer(queue.event(n, over));
  };
  return { queue, connection, outbox, offer, closed };
}
