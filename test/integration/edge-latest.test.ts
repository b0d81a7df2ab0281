import type { RawClient } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';

const namespaces = JSON.stringify({
  namespaces: {
    one: { subscribe: 'anyone', history: { latest: true } },
    table: { subscribe: 'anyone', history: { size: 100, latest: 'key' } },
  },
});
const env = { NAMESPACES: namespaces };

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  // The second one keeps next to nothing in memory, so it reads from the stream.
  [a, b] = await Promise.all([mesh.edge('a', env), mesh.edge('b', { ...env, HISTORY_TAIL_MESSAGES: '1' })]);
});
afterAll(() => mesh.close());

const set = (topic: string, key: string, data?: unknown) => mesh.keyed(topic, key, data);
const rows = (client: RawClient, topic: string) =>
  client.frames
    .filter((frame) => frame.t === 'message' && frame.topic === topic)
    .map(({ key, data, past }) => [key, data, past === true]);

/** What RabbitMQ has confirmed an edge may read a moment later. */
async function hasRead(edge: EdgeUnderTest, topic: string, last: unknown): Promise<void> {
  const client = await new SessionUnderTest('reader').attach(edge, { topics: [topic] });
  await client.until('the last one', () => rows(client, topic).some(([, data]) => data === last));
  await client.close();
}

describe('a topic with a newest value', () => {
  it('gives it first to who subscribes, on any edge', async () => {
    for (const n of [1, 2, 3]) await mesh.message('one.a', n);
    for (const edge of [a, b]) {
      await hasRead(edge, 'one.a', 3);
      const client = await new SessionUnderTest('latest').attach(edge, { topics: ['one.a'] });
      await client.until('the newest', () => rows(client, 'one.a').length === 1);
      expect(rows(client, 'one.a')).toEqual([[undefined, 3, true]]);
      client.send({ t: 'subscribe', id: '1', topic: 'one.nobody' });
      await client.frame('ok');
      expect(client.of('gap')).toEqual([]);
      await client.close();
    }
  });

  it('with a newest value a key gives the whole table without what was deleted, and then each change', async () => {
    await set('table.a', 'eur', 1);
    await set('table.a', 'usd', 2);
    await set('table.a', 'chf', 3);
    await set('table.a', 'eur', 4);
    await set('table.a', 'chf');
    await set('table.a', 'end', 5);
    const third = await mesh.edge('c', env);
    for (const edge of [a, b, third]) {
      await hasRead(edge, 'table.a', 5);
      const client = await new SessionUnderTest('table').attach(edge, { topics: ['table.a'] });
      await client.until('the table', () => rows(client, 'table.a').length === 3);
      expect(rows(client, 'table.a')).toEqual([
        ['usd', 2, true],
        ['eur', 4, true],
        ['end', 5, true],
      ]);
      await client.close();
    }
    const live = await new SessionUnderTest('table-live').attach(a, { topics: ['table.a'] });
    await set('table.a', 'usd');
    await live.until('the deletion', () => rows(live, 'table.a').length === 4);
    expect(rows(live, 'table.a').at(-1)).toEqual(['usd', null, false]);
    await live.close();
  });
});
