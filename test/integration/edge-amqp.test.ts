import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { PublishProperties } from '@evenkeel/broker';
import { exchanges, replyExchangeHeader } from '@evenkeel/protocol';
import type { RawClient, RawFrame } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';

const run = promisify(execFile);
/** Our own publishers write texts as UTF-8, so that somebody else's has to. */
const hasPika = await run('/usr/bin/python3', ['-c', 'import pika']).then(
  () => true,
  () => false,
);

let mesh: EdgeMesh;
let edge: EdgeUnderTest;
let session: SessionUnderTest;
let client: RawClient;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  edge = await mesh.edge('e1', { MAX_EVENT_BYTES: '100000' });
  session = new SessionUnderTest('bob');
  client = await session.attach(edge, { topics: ['one', 'two'] });
});
afterAll(() => mesh?.close());

const json = { contentType: 'application/json' };
const publish = (key: string, body: Buffer | string, properties: PublishProperties = json) =>
  mesh.publisher.publish(exchanges.events, key, body, { mandatory: true, ...properties });

let marks = 0;
/** All that this client gets for what `send` publishes, and before the mark that is published behind it. */
async function got(send: () => Promise<unknown>, by: RawClient = client): Promise<RawFrame[]> {
  const from = by.frames.length;
  await send();
  marks += 1;
  const mark = `mark-${marks}`;
  await publish('user.bob.mark', `"${mark}"`);
  await publish('topic.two', `"${mark}"`);
  await by.frame('event', ({ data }) => data === mark);
  await by.frame('message', ({ data }) => data === mark);
  return by.frames.slice(from).filter(({ data }) => data !== mark);
}

const value = { n: 1, s: 'äöü' };
const text = JSON.stringify(value);

describe('a body', () => {
  it.each<[string, Buffer, PublishProperties]>([
    ['gzip', gzipSync(text), { ...json, contentEncoding: 'gzip' }],
    ['br', brotliCompressSync(text), { ...json, contentEncoding: 'br' }],
    ['utf-16 as an encoding', Buffer.from(text, 'utf16le'), { ...json, contentEncoding: 'utf-16le' }],
    ['utf-16', Buffer.from(text, 'utf16le'), { contentType: 'application/json; charset=utf-16' }],
    ['latin1', Buffer.from(text, 'latin1'), { contentType: 'application/json; charset=latin1' }],
    ['text/json', Buffer.from(text), { contentType: 'text/json' }],
    ['an empty type', Buffer.from(text), { contentType: '' }],
    ['a byte order mark', Buffer.from(`\uFEFF${text}`), json],
    ['a priority, which changes nothing', Buffer.from(text), { ...json, priority: 9 } as PublishProperties],
  ])('is read as it was meant: %s', async (_what, body, properties) => {
    const frames = await got(() => publish('user.bob.e', body, properties));
    expect(frames).toMatchObject([{ t: 'event', name: 'e', data: value }]);
    expect(frames[0]).not.toHaveProperty('encoding');
  });

  it('is told as bytes, with all that is known of them, where it cannot be read', async () => {
    const properties = { ...json, contentEncoding: 'zstd' };
    const [frame] = await got(() => publish('user.bob.e', Buffer.from([1, 2]), properties));
    expect(frame).toMatchObject({ data: 'AQI=', encoding: 'base64', ...properties });
  });

  it('keeps its numbers', async () => {
    const from = client.log.length;
    await got(() => publish('user.bob.e', '{"id":1724442618569203714,"x":1e400}'));
    const came = client.log.slice(from).map((received) => received.text);
    expect(came[0]).toContain('"data":{"id":1724442618569203714,"x":1e400}');
  });
});

describe('properties', () => {
  it('timestamps in any unit are times, and CloudEvents times and x- headers are carried', async () => {
    const headers = {
      cloudEvents_time: { '!': 'timestamp', value: 1_767_225_600 },
      'x-tenant': 'a',
      'x-large': 'x'.repeat(3_000),
      tracestate: 'y'.repeat(60_000),
      password: 'no',
    };
    const [frame] = await got(() =>
      publish('user.bob.e', '1', { ...json, timestamp: 1_790_000_000_000_000, headers }),
    );
    expect(frame).toMatchObject({
      at: 1_790_000_000_000,
      headers: { cloudEvents_time: '2026-01-01T00:00:00.000Z', 'x-tenant': 'a' },
    });
    expect(Object.keys(frame?.headers as object)).toHaveLength(2);
  });

  it.skipIf(!hasPika)('ids that are no UTF-8 stay different', async () => {
    const frames = await got(() => publishBinaryIds());
    expect(new Set(frames.map(({ id }) => id))).toEqual(new Set(['b64:AAAAgA', 'b64:AAAAgQ', 'b64:AAAAgg']));
  });
});

describe('CC', () => {
  const cc = (...keys: string[]) => ({ ...json, headers: { CC: keys } });

  it('reaches each topic among the keys once, and each user by the name of its own key', async () => {
    const other = await new SessionUnderTest('ann').attach(edge);
    const frames = await got(async () => {
      await publish('topic.one', '1', cc('topic.two', 'topic.one'));
      await publish('user.ann.x', '2', cc('topic.two', 'user.bob.order.made'));
      await publish('topic.nobody', '3', cc('user.bob.only'));
    });
    const seen = frames.map(({ t, topic, name, data }) => [t, topic ?? name, data]);
    expect(seen.filter(([t]) => t === 'message')).toEqual([
      ['message', 'one', 1],
      ['message', 'two', 1],
      ['message', 'two', 2],
    ]);
    expect(seen.filter(([t]) => t === 'event')).toEqual([
      ['event', 'order.made', 2],
      ['event', 'only', 3],
    ]);
    expect(await other.frame('event')).toMatchObject({ name: 'x', data: 2 });
    await other.close();
  });

  it('as BCC reaches users by the name of the first key', async () => {
    const frames = await got(() =>
      publish('user.ann.secret', '1', { ...json, headers: { BCC: ['user.bob.hidden'] } }),
    );
    expect(frames).toMatchObject([{ t: 'event', name: 'secret', data: 1 }]);
  });
});

describe('an event that is longer than frames may be', () => {
  const large = JSON.stringify('x'.repeat(100_000));

  it.each([
    ['as it is', Buffer.from(large), json],
    ['packed', gzipSync(large), { ...json, contentEncoding: 'gzip' }],
    ['only once it is written', Buffer.from('\u0001'.repeat(50_000)), { contentType: 'text/plain' }],
  ])('is a gap in its place, and what follows is there: %s', async (_how, body, properties) => {
    const frames = await got(async () => {
      await publish('user.bob.e', '1');
      await publish('user.bob.e', body, properties);
      await publish('user.bob.e', '2');
    });
    expect(frames.map(({ t, data, reason }) => data ?? `${t} ${reason}`)).toEqual([1, 'gap too-large', 2]);
    await mesh.settled(session, { messages: 0 });
  });

  it('is a gap of its topic', async () => {
    const frames = await got(() => publish('topic.one', large));
    expect(frames).toEqual([{ t: 'gap', topic: 'one', reason: 'too-large' }]);
  });
});

describe('what is not published as it should be', () => {
  it('reaches nobody, and comes back, by a key whose second word is no user', async () => {
    expect(await publish('user.bob@x.io.hi', '1')).toBe('unrouted');
  });

  it('is an event, straight to the queue, by its whole key', async () => {
    const frames = await got(() => mesh.publisher.publish('', session.queue, '7', json));
    expect(frames).toMatchObject([{ t: 'event', name: session.queue, data: 7 }]);
  });
});

describe('what clients send', () => {
  it('reaches services as the text that they wrote', async () => {
    await mesh.topology.declareQueue({ name: 'raw', arguments: {} });
    await mesh.topology.bind('raw', exchanges.inbound, 'raw.#');
    const bodies: string[] = [];
    const ids: string[] = [];
    await mesh.broker.consumers().consume('raw', {
      onDelivery: (delivery) => {
        bodies.push(delivery.body.toString());
        ids.push(delivery.properties.messageId ?? '');
        delivery.ack();
      },
    });
    const sent = ['9007199254740993', '{"b": 12345678901234567890, "a":1e400}', '-0', '"\\ud83d"', 'null'];
    for (const [n, data] of sent.entries())
      client.send(`{"t":"publish","id":${n},"topic":"raw.x","data":${data}}`);
    const long = '消'.repeat(128);
    client.send({ t: 'publish', id: long, topic: 'raw.x', data: 1 });
    expect(await client.frame('ok', ({ re }) => re === long)).toBeDefined();
    await client.until('all', () => bodies.length === sent.length + 1);
    expect(bodies).toEqual([...sent, '1']);
    expect(ids[0]).toBe(`${session.key}.0`);
    expect(Buffer.byteLength(ids.at(-1) ?? '')).toBeLessThan(256);
  });

  it.each([
    ['half a character', '{"t":"publish","id":"\\ud800","topic":"raw.x","data":1}', 'bad-id'],
    ['an id too long to come back', `{"t":"request","id":"${'€'.repeat(90)}","method":"raw.x"}`, 'bad-id'],
    [
      'deep data',
      `{"t":"publish","id":"deep","topic":"raw.x","data":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
      'too-deep',
    ],
  ])('is never to be sent again where that cannot help: %s', async (_what, frame, code) => {
    const before = client.of('error').length;
    client.send(frame);
    await client.until('an answer', () => client.of('error').length > before);
    expect(client.of('error').at(-1)).toMatchObject({ code, message: expect.not.stringContaining('again') });
    expect(client.isOpen).toBe(true);
  });

  it('is answered with an error where the reply is longer than a frame may be', async () => {
    await mesh.topology.declareQueue({ name: 'large-reply', arguments: {} });
    await mesh.topology.bind('large-reply', exchanges.inbound, 'large.reply');
    await mesh.broker.consumers().consume('large-reply', {
      onDelivery: (delivery) => {
        const { replyTo = '', correlationId, headers } = delivery.properties;
        const body = JSON.stringify('x'.repeat(100_000));
        void mesh.publisher.publish(String(headers[replyExchangeHeader]), replyTo, body, { correlationId });
        delivery.ack();
      },
    });
    client.send({ t: 'request', id: 'large', method: 'large.reply', data: null });
    expect(await client.frame('error', ({ re }) => re === 'large')).toMatchObject({ code: 'too-large' });
  });
});

async function publishBinaryIds(): Promise<void> {
  const script = `
import pika, sys
channel = pika.BlockingConnection(pika.URLParameters(sys.argv[1])).channel()
channel.confirm_delivery()
for n in (128, 129, 130):
    properties = pika.BasicProperties(message_id=n.to_bytes(4, 'big'))
    channel.basic_publish('${exchanges.events}', 'user.bob.e', b'1', properties, mandatory=True)
`;
  await run('/usr/bin/python3', ['-c', script, mesh.amqpUrl]);
}
