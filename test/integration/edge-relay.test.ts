import { exchanges, topicKey } from '@evenkeel/protocol';
import type { RawClient } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';

/** Namespaces in which clients publish to each other. */

const namespaces = JSON.stringify({
  namespaces: {
    '*': { subscribe: 'anyone', publish: 'anyone' },
    chat: { relay: true },
    inbox: { relay: true, publish: 'owner' },
  },
});

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  [a, b] = await Promise.all([
    mesh.edge('a', { NAMESPACES: namespaces }),
    mesh.edge('b', { NAMESPACES: namespaces }),
  ]);
});
afterAll(() => mesh.close());

const messages = (client: RawClient) => client.frames.filter(({ t }) => t === 'message');

async function publish(client: RawClient, topic: string, data: unknown) {
  const id = `${topic} ${JSON.stringify(data)}`;
  client.send({ t: 'publish', id, topic, data });
  const answer = () => client.frames.find(({ re }) => re === id);
  await client.until('an answer', () => answer() !== undefined);
  return answer();
}

describe('what a client publishes in a namespace that relays', () => {
  it('goes to every subscriber on every edge with who has sent it, and is answered ok', async () => {
    const sender = new SessionUnderTest('zoë@example.org');
    const from = { user: 'zoë@example.org', session: sender.sid };
    const one = await sender.attach(a, { topics: ['chat.42'] });
    const two = await new SessionUnderTest('bob').attach(b, { topics: ['chat.#'] });
    expect(await publish(one, 'chat.42', { text: 'ahoy', n: 1 })).toMatchObject({ t: 'ok' });
    for (const client of [one, two]) {
      await client.until('the message', () => messages(client).length === 1);
      expect(messages(client)[0]).toMatchObject({ topic: 'chat.42', data: { text: 'ahoy', n: 1 }, from });
      expect(messages(client)[0]?.at).toBeGreaterThan(Date.now() - 60_000);
    }
    await Promise.all([one.close(), two.close()]);
  });

  it('is answered ok with no subscriber, and goes to no service', async () => {
    const queue = 'service.shop.test';
    await mesh.topology.declareQueue({ name: queue, exclusive: true });
    await mesh.topology.bind(queue, exchanges.inbound, '#');
    const client = await new SessionUnderTest('alone').attach(a);
    expect(await publish(client, 'chat.nobody', 1)).toMatchObject({ t: 'ok' });
    expect(await publish(client, 'shop.order', 1)).toMatchObject({ t: 'ok' });
    expect((await mesh.topology.checkQueue(queue))?.messages).toBe(1);
    await mesh.topology.deleteQueue(queue);
    expect(await publish(client, 'shop.order', 2)).toMatchObject({ code: 'no-service' });
    await client.close();
  });

  it('is refused where the rule of publish refuses it', async () => {
    const client = await new SessionUnderTest('alice').attach(a, { topics: ['inbox.bob'] });
    expect(await publish(client, 'inbox.bob', 1)).toMatchObject({ code: 'forbidden' });
    expect(await publish(client, 'inbox.alice', 1)).toMatchObject({ t: 'ok' });
    await mesh.message('inbox.bob', 'from a service');
    await client.until('it', () => messages(client).length > 0);
    expect(messages(client)).toHaveLength(1);
    await client.close();
  });

  it('does not come back to a session that wants no echo, by whatever name, and does to its others', async () => {
    const session = new SessionUnderTest('carol');
    const topics = [
      { topic: 'chat.7', echo: false },
      { topic: 'chat.*', echo: false },
    ];
    const quiet = await session.attach(a, { topics });
    const other = await new SessionUnderTest('carol').attach(a, { topics });
    const plain = await new SessionUnderTest('dave').attach(a, { topics: ['chat.7'] });
    await publish(quiet, 'chat.7', 'own');
    await publish(other, 'chat.7', 'of another');
    for (const client of [quiet, other, plain])
      await client.until('the last', () => messages(client).length >= (client === plain ? 2 : 1));
    await mesh.message('chat.7', 'end');
    for (const client of [quiet, other, plain])
      await client.until('the end', () => messages(client).at(-1)?.data === 'end');
    expect(messages(quiet).map(({ data }) => data)).toEqual(['of another', 'end']);
    expect(messages(other).map(({ data }) => data)).toEqual(['own', 'end']);
    expect(messages(plain).map(({ data }) => data)).toEqual(['own', 'of another', 'end']);
    await Promise.all([quiet, other, plain].map((client) => client.close()));
  });

  it('has a sender that no application can make up', async () => {
    const client = await new SessionUnderTest('erin').attach(a, { topics: ['chat.forged'] });
    const headers = { 'evenkeel-user': 'alice', 'evenkeel-uid': 'alice', 'evenkeel-session': 's' };
    await mesh.publisher.publish(exchanges.events, topicKey('chat.forged'), '1', { headers });
    // What an edge has sent to somebody else, who has it sent on from a queue.
    const queue = 'service.shop.forward';
    await mesh.topology.declareQueue({
      name: queue,
      arguments: {
        'x-message-ttl': 0,
        'x-dead-letter-exchange': exchanges.events,
        'x-dead-letter-routing-key': topicKey('chat.forged'),
      },
    });
    await mesh.topology.bind(queue, exchanges.events, topicKey('chat.elsewhere'));
    await publish(client, 'chat.elsewhere', 2);
    await client.until('both', () => messages(client).length === 2);
    expect(messages(client).map(({ data, from }) => [data, from])).toEqual([
      [1, undefined],
      [2, undefined],
    ]);
    await mesh.topology.deleteQueue(queue);
    await client.close();
  });
});
