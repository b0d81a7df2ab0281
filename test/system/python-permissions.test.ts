import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Broker, userOf } from '@evenkeel/broker';
import { edgeKey, exchanges, topicKey } from '@evenkeel/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { JsonLines, python } from '../support/json-lines.js';
import { startTestMesh } from '../support/mesh.js';

const program = join(import.meta.dirname, '..', 'support', 'permitted_client.py');
const jwtSecret = 'a-secret-of-the-python-permissions-test';

/** What a token that grants one room and the methods of one service comes to. */
const outcomes = (room: '42' | '7') => {
  const [inFirst, inSecond] = room === '42' ? ['ok', 'forbidden'] : ['forbidden', 'ok'];
  return {
    'subscribe room.42.chat': inFirst,
    'publish room.42.say': inFirst,
    'subscribe room.7.chat': inSecond,
    'publish room.7.say': inSecond,
    'request shop.buy': inFirst,
    'request bank.pay': inSecond,
    // A grant to publish is none to request.
    'request room.42.say': 'forbidden',
  };
};

test('a Python client with a token made by hand is let into what its claims name and nothing else, before and after a move and a refresh', async () => {
  const mesh = await startTestMesh({ auth: 'jwt', env: { EVENKEEL_JWT_SECRET: jwtSecret } });
  const broker = await Broker.connect({ url: mesh.amqpUrl, name: 'python-permissions.test' });
  onTestFinished(() => broker.close());
  const publisher = broker.publisher();
  const topology = broker.topology();
  const queue = `python-permissions.${randomUUID()}`;
  await topology.declareQueue({ name: queue, durable: false, exclusive: true });
  for (const key of ['room.#', 'shop.#', 'bank.#']) await topology.bind(queue, exchanges.inbound, key);
  const carried = new Set<string>();
  await broker.consumers().consume(queue, {
    onDelivery: (delivery) => {
      delivery.ack();
      const { type, replyTo = '', correlationId } = delivery.properties;
      carried.add(`${type} ${delivery.key}`);
      if (type === 'request') void publisher.publish(exchanges.replies, replyTo, 'null', { correlationId });
    },
  });
  const say = (data: string) =>
    Promise.all(
      ['room.42.chat', 'room.7.chat'].map((topic) =>
        publisher.publish(exchanges.events, topicKey(topic), JSON.stringify(`${data} in ${topic}`), {
          messageId: randomUUID(),
          contentType: 'application/json',
        }),
      ),
    );

  const client = new JsonLines(python, [program, mesh.gatewayUrl, jwtSecret]);
  const triedAfter = async (step: string) => {
    const isIt = (line: Record<string, unknown>) => line.kind === 'tried' && line.after === step;
    await client.until(`what it may do once it is ${step}`, (lines) => lines.some(isIt));
    return client.lines.find(isIt)?.results;
  };
  expect(await triedAfter('connected')).toEqual(outcomes('42'));
  await say('before the move');

  const { node } = client.lines.filter(({ status }) => status === 'connected').at(-1) ?? {};
  const target = mesh.edges.find((edge) => edge.node !== node);
  const command = {
    command: 'reconnect',
    move: 'm1',
    to: { node: target?.node, url: target?.url },
    count: 1,
  };
  const userId = userOf(mesh.amqpUrl);
  await publisher.publish(exchanges.control, edgeKey(String(node)), JSON.stringify(command), { userId });
  expect(await triedAfter('moved')).toEqual(outcomes('42'));
  await say('after the move');

  expect(await triedAfter('refreshed')).toEqual(outcomes('7'));
  await say('after the refresh');
  const heard = () => client.lines.filter(({ kind }) => kind === 'message').map(({ data }) => data);
  await client.until('the last message', () => heard().includes('after the refresh in room.7.chat'));
  expect(heard()).toEqual([
    'before the move in room.42.chat',
    'after the move in room.42.chat',
    'after the refresh in room.7.chat',
  ]);
  expect(client.lines.filter(({ kind }) => kind === 'unsubscribed')).toMatchObject([
    { topic: 'room.42.chat', reason: 'revoked' },
  ]);
  expect([...carried].sort()).toEqual([
    'publish room.42.say',
    'publish room.7.say',
    'request bank.pay',
    'request shop.buy',
  ]);
});
