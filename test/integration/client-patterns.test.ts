import { type ClientError, connect } from '@evenkeel/client';
import { connect as connectOfBundle } from '@evenkeel/client/browser/full';
import { createPublisher } from '@evenkeel/publisher';
import { eventually } from '@evenkeel/testkit';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { askToMove } from '../support/asked-move.js';
import { range } from '../support/edge.js';
import { startTestMesh } from '../support/mesh.js';
import { scripted } from '../support/scripted-edge-client.js';

describe.each([
  ['package', connect],
  ['bundle', connectOfBundle],
])('patterns in the client of the %s', (_, connectWith) => {
  const begin = async () => {
    const s = await scripted({}, undefined, connectWith);
    const at = await s.connected();
    const got: string[] = [];
    const take =
      (who: string) =>
      ({ topic, id }: { topic: string; id: string }) =>
        void got.push(`${who} ${topic} ${id}`);
    const move = async () => {
      s.b.defaults.welcome = false;
      at.move(s.b);
      const b = await s.b.next();
      const { topics } = await b.take('hello');
      return { b, topics };
    };
    return { ...s, at, got, take, move };
  };

  it('hand each message, with its own topic, once to each handler whose name or pattern matches', async () => {
    const { client, at, got, take } = await begin();
    client.onMessage(take('all'));
    await client.subscribe('prices.*', take('star'));
    await client.subscribe('prices.eur', take('eur'));
    client.topic('prices.#').on('message', take('hash'));
    const both = take('both');
    await client.subscribe('prices.usd', both);
    const twice = await client.subscribe('*.usd', both);
    at.message('prices.eur', '1');
    at.message('prices.usd', '2');
    at.message('prices', '3');
    at.message('news', '4');
    await twice.unsubscribe();
    at.message('prices.usd', '5');
    await eventually('the last', () => got.includes('hash prices.usd 5'));
    expect(got.toSorted()).toEqual(
      [
        ...['all', 'star', 'eur', 'hash'].map((who) => `${who} prices.eur 1`),
        ...['all', 'star', 'hash', 'both'].map((who) => `${who} prices.usd 2`),
        ...['all', 'hash'].map((who) => `${who} prices 3`),
        ...['all', 'star', 'hash', 'both'].map((who) => `${who} prices.usd 5`),
      ].toSorted(),
    );
  });

  it('merge both sockets of a move, also where a topic and a pattern overlap, and one of them ends meanwhile', async () => {
    const { client, at, got, take, move } = await begin();
    const first = await client.subscribe('room.*', take('star'));
    await client.subscribe('room.1', take('one'));
    for (const id of ['1', '2']) at.message('room.1', id);
    const { b, topics } = await move();
    expect(topics).toEqual(['room.*', 'room.1']);
    for (const id of ['2', '3', '4']) b.message('room.1', id);
    b.message('room.2', 'x');
    b.mark('m');
    b.message('room.1', '5');
    at.message('room.1', '3');
    await eventually('the third', () => got.includes('one room.1 3'));
    void first.unsubscribe();
    at.moved(undefined, 'm');
    b.welcome({ resumed: true });
    await eventually('the kept ones', () => got.includes('one room.1 5'));
    const ids = (who: string) => got.filter((each) => each.startsWith(who)).map((each) => each.split(' ')[2]);
    expect(ids('one')).toEqual(['1', '2', '3', '4', '5']);
    expect(ids('star')).toEqual(['1', '2', '3']);
  });

  it('tell what concerns them by the pattern: gaps, the end, a refusal', async () => {
    const { client, at, status, a } = await begin();
    const told: unknown[] = [];
    const prices = client.topic('prices.*');
    prices.on('message', () => {});
    prices.on('gap', (gap) => told.push(gap));
    prices.on('left', (left) => told.push(left));
    await prices.ready();
    await at.take('subscribe');
    at.send({ t: 'gap', topic: 'prices.*', reason: 'slow-consumer' });
    at.send({ t: 'unsubscribed', topic: 'prices.*', reason: 'revoked' });
    await status('unsubscribed');
    expect(told).toEqual([
      { topic: 'prices.*', reason: 'slow-consumer' },
      { topic: 'prices.*', reason: 'revoked' },
    ]);
    a.defaults.answer = false;
    const refused = client.subscribe('room.#', () => {}).catch(({ code }: ClientError) => code);
    const { id, topic } = await at.take('subscribe');
    expect(topic).toBe('room.#');
    at.send({ t: 'error', re: id, code: 'forbidden', message: 'no' });
    expect(await refused).toBe('forbidden');
  });

  it('are no names to publish to, and no part of a word', async () => {
    const { client } = await begin();
    const codeOf = async (call: () => unknown) => {
      try {
        await call();
        return undefined;
      } catch (error) {
        return (error as ClientError).code;
      }
    };
    expect(await codeOf(() => client.publish('prices.*', 1))).toBe('bad-name');
    expect(await codeOf(() => client.topic('prices.*').publish(1))).toBe('bad-name');
    expect(await codeOf(() => client.subscribe('price*', () => {}))).toBe('bad-name');
    expect(await codeOf(() => client.topic('a..b'))).toBe('bad-name');
    await client.close();
    expect(await codeOf(() => client.subscribe('prices.*', () => {}))).toBe('closed');
  });

  it('what a handler throws is told, and keeps the others from nothing', async () => {
    const { client, at, got, take, status } = await begin();
    await client.subscribe('prices.*', () => {
      throw new Error('mine');
    });
    await client.subscribe('prices.eur', take('eur'));
    at.message('prices.eur', '1');
    expect(await status('handler-error')).toMatchObject({ id: '1', name: 'prices.eur' });
    await eventually('the other', () => got.length === 1);
  });
});

it('a handler of a pattern gets once what a topic with history that it matches brings again', async () => {
  const s = await scripted();
  const at = await s.connected();
  const got: string[] = [];
  await s.client.subscribe('room.*', ({ id }) => void got.push(`star ${id}`));
  const send = (id: number, past?: true) =>
    at.send({
      t: 'message',
      topic: 'room.1',
      id: `${id}`,
      data: id,
      at: 1,
      position: `${id}-x`,
      ...(past && { past }),
    });
  send(2);
  send(3);
  await eventually('both', () => got.length === 2);
  await s.client.subscribe('room.1', ({ id }) => void got.push(`one ${id}`), { last: 2 });
  send(2, true);
  send(3, true);
  send(4, true);
  send(5);
  await eventually('the last', () => got.includes('one 5'));
  expect(got).toEqual(['star 2', 'star 3', 'one 2', 'one 3', 'star 4', 'one 4', 'star 5', 'one 5']);
});

it('patterns of an option are in the first hello', async () => {
  const s = await scripted({ topics: ['news', 'prices.*'] });
  const got: string[] = [];
  s.client.onMessage(({ topic }) => got.push(topic));
  const at = await s.a.next();
  expect((await at.take('hello')).topics).toEqual(['news', 'prices.*']);
  at.message('prices.eur', '1');
  await eventually('the message', () => got.length === 1);
});

it('a pattern and a topic in it bring each message once and in order over a move and the crash of an edge', async () => {
  const mesh = await startTestMesh({ edges: 3, balancer: false, env: { EVENKEEL_REACHABILITY_URL: 'off' } });
  const publisher = await createPublisher({ amqpUrl: mesh.amqpUrl, name: 'prices' });
  onTestFinished(() => publisher.close());
  const user = 'alice';
  const client = connect({ gateway: mesh.gatewayUrl, user, backoff: { minMs: 10, maxMs: 50 } });
  onTestFinished(() => client.close());
  const got = { star: [] as string[], eur: [] as unknown[] };
  const statuses: string[] = [];
  client.onStatus((status) =>
    statuses.push(status.type === 'gap' ? `gap ${status.topic} ${status.reason}` : status.type),
  );
  await client.subscribe('prices.*', ({ topic, data }) => void got.star.push(`${topic} ${data}`));
  await client.subscribe('prices.eur', ({ data }) => void got.eur.push(data));
  const publish = async (from: number, to: number) => {
    for (const n of range(from, to)) {
      await publisher.toTopic('prices.eur', n);
      await publisher.toTopic('prices.usd', n);
    }
  };
  const expected = (to: number) => range(1, to).flatMap((n) => [`prices.eur ${n}`, `prices.usd ${n}`]);
  const patience = { timeout: 30_000, interval: 20 };
  await publish(1, 20);
  const moving = askToMove(mesh, user, client as never);
  await publish(21, 120);
  const to = await moving;
  await vi.waitUntil(() => client.node === to, patience);
  await publish(121, 140);
  await vi.waitUntil(() => got.star.length >= 280 && got.eur.length >= 140, patience);
  expect(got).toEqual({ star: expected(140), eur: range(1, 140) });
  expect(statuses).not.toContain('disconnected');
  expect(statuses.filter((status) => status.startsWith('gap'))).toEqual([]);

  await mesh.edges.find(({ node }) => node === to)?.stop('SIGKILL');
  await vi.waitUntil(() => statuses.filter((type) => type === 'connected').length === 2, patience);
  await publish(141, 150);
  await vi.waitUntil(() => got.star.length >= 300 && got.eur.length >= 150, patience);
  expect(got).toEqual({ star: expected(150), eur: range(1, 150) });
  expect(statuses.filter((status) => status.startsWith('gap')).toSorted()).toEqual([
    'gap prices.* connection-lost',
    'gap prices.eur connection-lost',
  ]);
}, 120_000);
