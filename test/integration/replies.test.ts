import { exchanges, replyExchangeHeader } from '@evenkeel/protocol';
import { createPublisher } from '@evenkeel/publisher';
import { eventually, RawClient } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  [a, b] = await Promise.all([mesh.edge('a'), mesh.edge('b')]);
});
afterAll(() => mesh?.close());

/** A service without SDK: what is asked of `method` is kept, and answered when the test says so. */
async function service(method: string): Promise<{ replyTo: string; correlationId: string }[]> {
  await mesh.topology.declareQueue({ name: method, arguments: {} });
  await mesh.topology.bind(method, exchanges.inbound, method);
  const asked: { replyTo: string; correlationId: string }[] = [];
  await mesh.broker.consumers().consume(method, {
    onDelivery: (delivery) => {
      delivery.ack();
      const { replyTo = '', correlationId = '' } = delivery.properties;
      asked.push({ replyTo, correlationId });
    },
  });
  return asked;
}

const reply = (exchange: string, to: { replyTo: string; correlationId: string } | undefined, body: string) =>
  mesh.publisher.publish(exchange, to?.replyTo ?? '', body, {
    correlationId: to?.correlationId,
    mandatory: true,
  });

describe('a reply on mesh.replies', () => {
  it('reaches the session that has asked, and so does one by the default exchange', async () => {
    const asked = await service('replies.both');
    const session = new SessionUnderTest('both');
    const client = await session.attach(a);
    client.send({ t: 'request', id: '1', method: 'replies.both', data: null });
    client.send({ t: 'request', id: '2', method: 'replies.both', data: null });
    await eventually('both asked', () => asked.length === 2);
    expect(asked.map(({ replyTo }) => replyTo)).toEqual([session.queue, session.queue]);
    expect(await reply(exchanges.replies, asked[0], '"new"')).toBe('routed');
    expect(await client.frame('ok', (f) => f.re === '1')).toEqual({ t: 'ok', re: '1', data: 'new' });
    expect(await reply('', asked[1], '"old"')).toBe('routed');
    expect(await client.frame('ok', (f) => f.re === '2')).toEqual({ t: 'ok', re: '2', data: 'old' });
    await client.close();
  });

  it('finds a session that has moved to another edge', async () => {
    const asked = await service('replies.moved');
    const session = new SessionUnderTest('moves');
    const first = await session.attach(a);
    first.send({ t: 'request', id: 'q', method: 'replies.moved', data: null });
    await eventually('asked', () => asked.length === 1);
    const { ticket, url } = await mesh.askToMove(session, first, a, b);
    const second = await RawClient.open(url, ticket);
    second.send({ t: 'hello', resume: true });
    await second.frame('welcome');
    expect(await reply(exchanges.replies, asked[0], '42')).toBe('routed');
    expect(await second.frame('ok')).toEqual({ t: 'ok', re: 'q', data: 42 });
    await first.close();
    await second.close();
  });

  it('finds a session whose queue was lost after it had asked, as soon as it has a queue again', async () => {
    const asked = await service('replies.lost');
    const session = new SessionUnderTest('loses');
    const client = await session.attach(a);
    client.send({ t: 'request', id: 'q', method: 'replies.lost', data: null });
    await eventually('asked', () => asked.length === 1);
    await mesh.topology.deleteQueue(session.queue);
    await client.frame('gap');
    expect(await reply(exchanges.replies, asked[0], '42')).toBe('routed');
    expect(await client.frame('ok')).toEqual({ t: 'ok', re: 'q', data: 42 });
    await client.close();
  });

  it('is how the SDK answers a request that says so; another, as by an older edge, is answered by the default exchange', async () => {
    const publisher = await createPublisher({ amqpUrl: mesh.amqpUrl, name: 'answers', attempts: 3 });
    onTestFinished(() => publisher.close());
    await publisher.serve('replies.sdk', ({ data }) => data);
    const seen: string[] = [];
    const take = async (queue: string, key?: string) => {
      await mesh.topology.declareQueue({ name: queue });
      if (key !== undefined) await mesh.topology.bind(queue, exchanges.replies, key);
      await mesh.broker.consumers().consume(queue, {
        onDelivery: (delivery) => {
          delivery.ack();
          seen.push(`${delivery.exchange} ${delivery.properties.correlationId}`);
        },
      });
    };
    await take('elsewhere', 'session.new.s');
    await take('session.old.s');
    const headers = { [replyExchangeHeader]: exchanges.replies };
    for (const [replyTo, more] of [
      ['session.new.s', { headers }],
      ['session.old.s', {}],
      ['session.gone.s', { headers }],
    ] as const) {
      const properties = { replyTo, correlationId: replyTo, ...more };
      await mesh.publisher.publish(exchanges.inbound, 'replies.sdk', '1', properties);
    }
    await eventually('two answers', () => seen.length === 2);
    expect(seen.sort()).toEqual([' session.old.s', 'mesh.replies session.new.s']);
  });
});
