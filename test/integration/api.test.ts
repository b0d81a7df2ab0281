import { createHash } from 'node:crypto';
import { Broker } from '@evenkeel/broker';
import { freePort, Member } from '@evenkeel/local';
import { exchanges, toUid } from '@evenkeel/protocol';
import { eventually, TcpProxy } from '@evenkeel/testkit';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { freshVhost, type Vhost } from '../support/broker.js';

const key = 'the-key-of-the-shop';
const entryOf = (name: string, scopes: string, text: string): string =>
  `${name}:${scopes}:${createHash('sha256').update(text).digest('hex')}`;

let vhost: Vhost;
beforeAll(async () => {
  vhost = await freshVhost();
});

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

interface Api {
  readonly member: Member;
  /** JSON unless it is text. */
  post(path: string, body: unknown): Promise<Answer>;
}

/** An API process as RabbitMQ's user `api`, stopped when the test ends. */
async function startApi(amqpUrl = vhost.urlFor('api'), env: Record<string, string> = {}): Promise<Api> {
  const port = await freePort();
  const member = new Member({
    role: 'api',
    name: 'api',
    opsPort: await freePort(),
    env: {
      EVENKEEL_AMQP_URL: amqpUrl,
      EVENKEEL_PORT: String(port),
      EVENKEEL_API_KEYS: entryOf('shop', 'publish', key),
      ...env,
    },
    onLine: () => {},
    onUnexpectedEnd: () => {},
  });
  onTestFinished(() => member.stop());
  await member.start();
  const post: Api['post'] = async (path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  };
  return { member, post };
}

/** What a queue gets that is bound with this key, as the administrator. */
async function listen(bindingKey: string) {
  const broker = await Broker.connect({ url: vhost.amqpUrl, name: 'test', attempts: 3 });
  onTestFinished(() => broker.close());
  const got: { key: string; id: string | undefined; type: string | undefined; body: unknown }[] = [];
  const texts: string[] = [];
  const queue = `test.${Math.random().toString(36).slice(2)}`;
  const topology = broker.topology();
  await topology.declareQueue({ name: queue, exclusive: true });
  await topology.bind(queue, exchanges.events, bindingKey);
  await broker.consumers({ channels: 1 }).consume(queue, {
    onDelivery: (delivery) => {
      delivery.ack();
      const { messageId: id, contentType: type } = delivery.properties;
      const text = delivery.body.toString();
      texts.push(text);
      got.push({ key: delivery.key, id, type, body: JSON.parse(text) });
    },
  });
  return Object.assign(got, { texts });
}

it('an event published over HTTP is an event as applications publish it, confirmed before the answer', async () => {
  const { post } = await startApi();
  const got = await listen('#');
  const data = { order: 7, note: 'zoë ✓' };
  expect(
    await post('/v1/publish', { user: 'zoë@example.org', event: 'order.created', data, id: 'o-7' }),
  ).toEqual({
    status: 202,
    body: { id: 'o-7', routed: true },
  });
  expect((await post('/v1/publish', { topic: 'prices.gold', data: 1 })).body).toMatchObject({ routed: true });
  await eventually('both', () => got.length === 2);
  expect(got[0]).toEqual({
    key: `user.${toUid('zoë@example.org')}.order.created`,
    id: 'o-7',
    type: 'application/json',
    body: data,
  });
  expect(got[1]).toMatchObject({ key: 'topic.prices.gold', body: 1 });
});

it('data is published as it was written, alone and in a batch: numbers beyond 2^53 too', async () => {
  const { post } = await startApi();
  const { texts } = await listen('topic.numbers');
  const data = '{"n": 9007199254740993, "far": 1e400, "zero": -0, "text": "\\u00e9"}';
  expect((await post('/v1/publish', `{"topic": "numbers", "data": ${data}}`)).status).toBe(202);
  const messages = ['98765432109876543210', '1e400'].map((each) => `{"topic": "numbers", "data": ${each}}`);
  expect((await post('/v1/publish/batch', `{"messages": [${messages.join(', ')}]}`)).status).toBe(202);
  await eventually('all', () => texts.length === 3);
  expect(texts).toEqual([data, '98765432109876543210', '1e400']);
});

it('says of whom nobody gets it, which is not an error', async () => {
  const { post } = await startApi();
  await listen('user.bob.#');
  expect((await post('/v1/publish', { user: 'carol', data: 1 })).body).toMatchObject({ routed: false });
  const answer = await post('/v1/publish', { users: ['bob', 'carol'], data: 1 });
  expect(answer).toMatchObject({ status: 202, body: { routed: false, unrouted: ['carol'] } });
});

it('refuses what the broker could not carry, and names the reason', async () => {
  const { post } = await startApi();
  const user = 'ü'.repeat(60);
  expect(await post('/v1/publish', { user, data: 1 })).toMatchObject({
    status: 400,
    body: { code: 'bad-request', detail: expect.stringContaining('96 (UTF-8)') },
  });
});

it('that may not have its own queues publishes, is ready, and has a note of each in /readyz', async () => {
  const { post, member } = await startApi(vhost.urlFor('app-shop'));
  const readyz = async () => {
    const response = await fetch(`${member.opsUrl}/readyz`);
    return { status: response.status, ...((await response.json()) as { notes?: Record<string, string> }) };
  };
  await eventually('the refusal', async () => /refused/i.test((await readyz()).notes?.answers ?? ''), 20_000);
  expect(await readyz()).toMatchObject({
    status: 200,
    notes: { mesh: expect.any(String), answers: expect.stringContaining('queue api.answers') },
  });
  expect((await post('/v1/publish', { user: 'alice', data: 1 })).status).toBe(202);
  const right = await startApi();
  await eventually('it may', async () => {
    const { notes } = (await (await fetch(`${right.member.opsUrl}/readyz`)).json()) as { notes?: object };
    return notes === undefined || !('answers' in notes);
  });
});

it('answers 503 with when to come back while RabbitMQ is away, and publishes again once it is back', async () => {
  const proxy = await TcpProxy.toUrl(vhost.urlFor('api'));
  onTestFinished(() => proxy.close());
  const { post, member } = await startApi(proxy.urlFor(vhost.urlFor('api')));
  proxy.refuse();
  proxy.cut();
  const isReady = async () => (await fetch(`${member.opsUrl}/readyz`)).ok;
  await eventually('it is not ready', async () => !(await isReady()), 20_000);
  const refused = await post('/v1/publish', { user: 'alice', data: 1, id: 'kept' });
  expect(refused).toMatchObject({ status: 503, body: { code: expect.stringMatching(/^un/) } });
  proxy.allow();
  await eventually('it is ready', isReady, 30_000);
  expect((await post('/v1/publish', { user: 'alice', data: 1, id: 'kept' })).status).toBe(202);
});
