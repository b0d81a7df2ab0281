import type { Publisher } from '@evenkeel/broker';
import type { PrivateBroker } from '@evenkeel/local';
import { exchanges, userKey } from '@evenkeel/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';
import { startTestBroker } from '../support/private-broker.js';

/**
 * RabbitMQ flags nothing any more that it delivers again of a queue in which a transient message waited when it was restarted.
 * Whoever goes by its flag alone brings events twice from then on.
 */

let broker: PrivateBroker;
let mesh: EdgeMesh;
let publisher: Publisher;
const cleanUps: (() => unknown)[] = [];

beforeAll(async () => {
  // Of its own: it is restarted.
  broker = await startTestBroker();
  cleanUps.push(() => broker.stop());
  mesh = await EdgeMesh.open({ vhost: '/', amqpUrl: broker.amqpUrl, urlFor: broker.urlFor });
  cleanUps.push(() => mesh.close());
  publisher = mesh.broker.publisher();
}, 120_000);

afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
}, 60_000);

/** Events without ids. */
const publish = async (session: SessionUnderTest, from: number, to: number, persistent = true) =>
  void (await Promise.all(
    range(from, to).map((n) =>
      publisher.publish(exchanges.events, userKey(session.uid, 'n'), JSON.stringify(n), {
        contentType: 'application/json',
        persistent,
      }),
    ),
  ));

/** What the broker says of the events in `session`'s queue, which have all been delivered: whether they come again. */
async function flagsOf(session: SessionUnderTest, count: number): Promise<boolean[]> {
  const flags: boolean[] = [];
  const consumer = await mesh.broker.consumers().consume(session.queue, {
    onDelivery: ({ exchange, redelivered }) => {
      if (exchange === exchanges.events) flags.push(redelivered);
    },
  });
  await expect.poll(() => flags.length, { timeout: 10_000 }).toBe(count);
  await consumer.cancel();
  return flags;
}

describe('a session whose queue the broker has been restarted with, a transient message waiting in it', () => {
  let session: SessionUnderTest;
  let [a, b]: EdgeUnderTest[] = [];

  it('is told its events once and marked after that, on the same edge and on another', async () => {
    [a, b] = await Promise.all([mesh.edge('a', { WINDOW: '4' }), mesh.edge('b', { WINDOW: '4' })]);
    session = new SessionUnderTest('unflagged');
    const first = await session.attach(a, {}, {}, { acks: false });
    await publish(session, 1, 4);
    await first.eventCount(4);
    await publish(session, 5, 5, false);
    await publish(session, 6, 6);
    await mesh.settled(session, { messages: 2 });
    await broker.ctl(['stop_app']);
    await broker.ctl(['start_app']);
    await first.until('what was unacknowledged comes again', () => first.events.length >= 8, 30_000);
    first.ack(8);
    await first.eventCount(9);
    first.ack(9);
    await first.pinged();
    await publish(session, 7, 9);
    await first.eventCount(12);
    first.terminate();
    const again = await session.attach(a, { resume: true }, {}, { acks: false });
    await again.eventCount(3);
    expect(again.events.map(({ data, redelivered }) => [data, redelivered])).toEqual(
      [7, 8, 9].map((n) => [n, true]),
    );
    expect(again.kinds.filter((kind) => kind === 'gap')).toEqual([]);
    again.terminate();
    const elsewhere = await session.attach(b, { resume: true }, { from: a.node }, { acks: false });
    await elsewhere.eventCount(3);
    await publish(session, 10, 10);
    await elsewhere.eventCount(4);
    expect(elsewhere.events.map(({ data, redelivered = false }) => [data, redelivered])).toEqual([
      [7, true],
      [8, true],
      [9, true],
      [10, false],
    ]);
    elsewhere.terminate();
  }, 90_000);

  it('shows the fault itself: the broker marks none of them', async () => {
    await a?.member.stop('SIGTERM', 3_000);
    await b?.member.stop('SIGTERM', 3_000);
    expect(await flagsOf(session, 4)).toEqual([false, false, false, false]);
  }, 30_000);
});
