import { type Client, connect } from '@evenkeel/client';
import { createPublisher, type Receipt } from '@evenkeel/publisher';
import { connect as amqp } from 'amqplib';
import { expect, it, onTestFinished, vi } from 'vitest';
import { askToMove } from '../support/asked-move.js';
import { range } from '../support/edge.js';
import { startTestMesh } from '../support/mesh.js';

const patience = { timeout: 20_000, interval: 20 };

async function world() {
  const mesh = await startTestMesh({ edges: 2, balancer: false, env: { EVENKEEL_REACHABILITY_URL: 'off' } });
  const publisher = await createPublisher({ amqpUrl: mesh.urlFor('app-shop'), name: 'shop' });
  onTestFinished(() => publisher.close());
  const got = new Map<Client, unknown[]>();
  const connected = async (user: string) => {
    const client = connect({ gateway: mesh.gatewayUrl, user, storage: false, ackAfterMs: 5 });
    onTestFinished(() => client.close());
    got.set(client, []);
    client.on('sale', ({ data }) => void got.get(client)?.push(data));
    await client.ready();
    return client;
  };
  return { mesh, publisher, connected, got };
}

it('one message to many users reaches each session of each once, over a move and a repeat, with a receipt of each', async () => {
  const { mesh, publisher, connected, got } = await world();
  const clients = await Promise.all(['ann', 'ann', 'zoë@x', 'bob'].map(connected));
  const [moving] = clients as [Client];
  const receipts: Receipt[] = [];
  const users = ['ann', 'zoë@x', 'nobody', 'ann', 'bob'];
  const publish = (n: number) =>
    publisher.event({
      users,
      event: 'sale',
      payload: n,
      options: { id: `sale-${n}`, onReceipt: (receipt) => void receipts.push(receipt) },
    });
  const from = moving.node;
  for (const n of range(1, 20)) {
    expect(await publish(n)).toEqual({ id: `sale-${n}`, routed: true });
    if (n === 10) await askToMove(mesh, 'ann', moving as never);
    // As one does that had no confirm.
    if (n % 5 === 0) await publish(n);
  }
  await vi.waitUntil(() => moving.node !== from, patience);
  await publish(21);
  await vi.waitUntil(() => [...got.values()].every((data) => data.at(-1) === 21), patience);
  for (const data of got.values()) expect(data).toEqual(range(1, 21));
  const ofLast = () => receipts.filter(({ id }) => id === 'sale-21');
  await vi.waitUntil(() => ofLast().length === 4, patience);
  expect(
    ofLast()
      .map(({ session }) => session)
      .sort(),
  ).toEqual(clients.map(({ session }) => session).sort());
  expect(
    ofLast()
      .map(({ user }) => user)
      .sort(),
  ).toEqual(['ann', 'ann', 'bob', 'zoë@x']);
});

it('it is one message on the wire, unrouted only where none of its users has a session, and of bounded keys', async () => {
  const { mesh, publisher } = await world();
  const users = ['nobody', 'no-one'];
  expect(await publisher.event({ users, event: 'sale', payload: 1 })).toMatchObject({ routed: false });
  const connection = await amqp(mesh.amqpUrl);
  onTestFinished(() => connection.close());
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'mesh.events', 'user.no-one.sale');
  expect(await publisher.event({ users, event: 'sale', payload: 2 })).toMatchObject({ routed: true });
  const message = await channel.get(queue, { noAck: true });
  expect(
    message && [message.fields.routingKey, message.properties.headers?.CC, message.content.toString()],
  ).toEqual(['user.nobody.sale', ['user.no-one.sale'], '2']);
  const refused = { code: 'bad-option' };
  const many = (count: number) =>
    publisher.event({ users: range(1, count).map((n) => `u${1_000 + n}`), event: 'sale', payload: 1 });
  // Keys of 15 characters.
  expect(await many(273)).toMatchObject({ routed: false });
  await expect(many(274)).rejects.toMatchObject(refused);
  await expect(many(0)).rejects.toMatchObject(refused);
});
