import { exchanges, replyExchangeHeader } from '@evenkeel/protocol';
import { createPublisher, ServiceError } from '@evenkeel/publisher';
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

describe('what the SDK answers', () => {
  it('is told to be a service’s when it is an error, in its own words or with no word of what went wrong', async () => {
    const logged: string[] = [];
    const note = (fields: object) => void logged.push(JSON.stringify(fields));
    const log = { debug() {}, info() {}, warn: note, error: note };
    const publisher = await createPublisher({ amqpUrl: mesh.amqpUrl, name: 'errors', attempts: 3, log });
    onTestFinished(() => publisher.close());
    await publisher.serve('errors.*', ({ method }) => {
      if (method === 'errors.own') throw new ServiceError('no-service', 'closed on Sundays');
      throw Object.assign(new Error('connect 10.0.0.5:5432 password=hunter2'), { code: 'ECONNREFUSED' });
    });
    const client = await new SessionUnderTest('errors').attach(a);
    for (const [id, method] of [
      ['1', 'errors.own'],
      ['2', 'errors.other'],
      ['3', 'nobody.serves.this'],
    ])
      client.send({ t: 'request', id, method, data: null });
    const answer = (re: string) => client.frame('error', (frame) => frame.re === re);
    expect(await answer('1')).toEqual({
      ...{ t: 'error', re: '1', code: 'no-service', message: 'closed on Sundays' },
      from: 'service',
    });
    expect(await answer('2')).toEqual({
      ...{ t: 'error', re: '2', code: 'service-error', message: 'the service failed' },
      from: 'service',
    });
    expect(await answer('3')).not.toHaveProperty('from');
    expect(logged.join()).toContain('hunter2');
    await client.close();
  });

  it('and gets is bytes where bytes were sent, and what clients publish survives the broker', async () => {
    const publisher = await createPublisher({ amqpUrl: mesh.amqpUrl, name: 'bytes', attempts: 3 });
    onTestFinished(() => publisher.close());
    const kept = 'bytes.kept';
    await mesh.topology.declareQueue({ name: kept });
    await mesh.topology.bind(kept, exchanges.inbound, kept);
    const modes: unknown[] = [];
    await mesh.broker.consumers().consume(kept, {
      onDelivery: (delivery) => {
        delivery.ack();
        modes.push([delivery.properties.deliveryMode, delivery.properties.contentType, [...delivery.body]]);
      },
    });
    await publisher.serve('bytes.echo', ({ data }) => data);
    const client = await new SessionUnderTest('bytes').attach(a);
    const data = Buffer.from('42').toString('base64');
    client.send({ t: 'request', id: '1', method: 'bytes.echo', data, encoding: 'base64' });
    expect(await client.frame('ok', (frame) => frame.re === '1')).toEqual({
      ...{ t: 'ok', re: '1', data, encoding: 'base64', contentType: 'application/octet-stream' },
    });
    client.send({ t: 'publish', id: '2', topic: kept, data, encoding: 'base64', contentType: 'image/png' });
    await client.frame('ok', (frame) => frame.re === '2');
    await eventually('kept', () => modes.length === 1);
    expect(modes).toEqual([[2, 'image/png', [52, 50]]]);
    await client.close();
  });
});
