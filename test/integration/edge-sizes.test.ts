import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Delivery, PublishProperties } from '@evenkeel/broker';
import { exchanges } from '@evenkeel/protocol';
import { eventually } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

let mesh: EdgeMesh;
let edge: EdgeUnderTest;
/** What came to `mesh.undelivered`, as user, why and id. */
const undelivered: string[] = [];

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  edge = await mesh.edge('e1');
  await mesh.topology.declareQueue({ name: 'undelivered', arguments: {} });
  await mesh.topology.bind('undelivered', exchanges.undelivered, '#');
  await mesh.broker.consumers().consume('undelivered', { onDelivery: (delivery) => note(delivery) });
});
afterAll(() => mesh?.close());

function note(delivery: Delivery): void {
  const { headers, messageId } = delivery.properties;
  undelivered.push(`${headers['evenkeel-user']} ${headers['evenkeel-why']} ${messageId}`);
  delivery.ack();
}

const publish = (user: string, data: unknown, id: string = randomUUID(), more: PublishProperties = {}) =>
  mesh.publisher.publish(exchanges.events, `user.${user}.e`, JSON.stringify(data), {
    contentType: 'application/json',
    messageId: id,
    ...more,
  });

describe('an event that is too large', () => {
  it('for anybody goes to mesh.undelivered, and the rest flows', async () => {
    const client = await new SessionUnderTest('ann').attach(edge);
    await publish('ann', 'x'.repeat(1_500_000), 'large');
    await publish('ann', 1);
    await client.eventCount(1);
    expect(client.kinds.slice(1)).toEqual(['gap', 'event']);
    expect(client.of('gap')).toEqual([{ t: 'gap', reason: 'too-large' }]);
    await eventually('it is undelivered', () => undelivered.includes('ann too-large large'));
    await client.close();
  });

  it('for its client alone, which closes with 1009, is not sent to it for ever', async () => {
    const session = new SessionUnderTest('bob');
    const first = await session.attach(edge, {}, {}, { acks: false });
    for (const [n, bytes] of [10, 50_000, 5_000].entries()) await publish('bob', 'x'.repeat(bytes), `m${n}`);
    await first.eventCount(3);
    await first.close(1009);
    const second = await session.attach(edge, { resume: true }, { from: edge.node });
    await second.eventCount(2);
    expect(second.frames.slice(1).map(({ id, reason }) => id ?? reason)).toEqual(['m0', 'too-large', 'm2']);
    await eventually('it is undelivered', () => undelivered.includes('bob too-large m1'));
    await publish('bob', 'x'.repeat(60_000), 'm3');
    await second.eventCount(3);
    await second.close();
  });
});

describe('a client that does not read', () => {
  it('costs the edge no more than a bounded number of bytes, and gets everything once it reads', async () => {
    const sessions = range(1, 3).map((n) => new SessionUnderTest(`slow-${n}`));
    const clients = await Promise.all(sessions.map((session) => session.attach(edge)));
    for (const client of clients) client.freeze();
    const before = (await edge.stats()).rssBytes;
    const large = 'x'.repeat(900_000);
    for (const n of range(1, 64))
      await Promise.all(range(1, 3).map((k) => publish(`slow-${k}`, { n, large })));
    await edge.unacked(3 * 64);
    // All of it would be 173 MB.
    expect((await edge.stats()).rssBytes - before).toBeLessThan(90_000_000);
    for (const [k, client] of clients.entries()) {
      client.thaw();
      await client.eventCount(64, 30_000);
      expect(client.data.map((data) => (data as { n: number }).n)).toEqual(range(1, 64));
      expect(client.kinds).not.toContain('gap');
      expect(client.events.some(({ redelivered }) => redelivered)).toBe(false);
      await mesh.settled(sessions[k] as SessionUnderTest, { messages: 0 });
      await client.close();
    }
  });

  it('has what is kept for it given back when it goes', async () => {
    const session = new SessionUnderTest('gone');
    const client = await session.attach(edge);
    client.freeze();
    const large = 'x'.repeat(900_000);
    for (const n of range(1, 20)) await publish('gone', { n, large });
    await edge.unacked(20);
    client.terminate();
    const next = await session.attach(edge, { resume: true }, { from: edge.node });
    await next.eventCount(20, 30_000);
    expect(next.data.map((data) => (data as { n: number }).n)).toEqual(range(1, 20));
    expect(next.kinds).not.toContain('gap');
    await next.close();
  });
});

describe('a message of a client that is not finished', () => {
  const openPart = async (user: string, bytes: number): Promise<WebSocket> => {
    const ticket = new SessionUnderTest(user).ticket(edge);
    const socket = new WebSocket(`${edge.url}?ticket=${ticket}`, 'evenkeel.v1', { perMessageDeflate: false });
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    socket.send('{"t":"hello"}');
    await once(socket, 'message');
    socket.send('x'.repeat(bytes), { fin: false });
    return socket;
  };

  it('is kept up to twice the largest frame and no more: over that its socket is cut off', async () => {
    const within = await openPart('within', 131_000);
    const over = await openPart('over', 131_000);
    over.send('x'.repeat(200), { fin: false });
    await once(over, 'close');
    // The other is served on: it gets what there is, and is heard once it is finished.
    await publish('within', 1, 'to-within');
    const [event] = (await once(within, 'message')) as [Buffer];
    expect(JSON.parse(event.toString())).toMatchObject({ t: 'event', id: 'to-within' });
    within.send('x', { fin: true });
    const [code] = (await once(within, 'close')) as [number];
    expect(code).toBe(1009);
  });
});
