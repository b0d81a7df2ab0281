import { exchanges, topicKey } from '@evenkeel/protocol';
import type { RawClient } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';

/** Subscriptions with wildcards. */

const namespaces = JSON.stringify({
  namespaces: { '*': { subscribe: 'anyone' }, inbox: { subscribe: 'owner' }, room: { subscribe: 'claim' } },
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

const seen = (client: RawClient) =>
  client.frames
    .filter(({ t }) => t === 'message' || t === 'gap')
    .map(({ t, topic, data, reason }) => `${t} ${topic} ${reason ?? data}`);

const last = (client: RawClient, text: string) =>
  client.until(text, () => seen(client).at(-1)?.includes(text) === true);

/** With which code a subscription is refused; undefined: it is not. */
async function refused(client: RawClient, topic: string): Promise<string | undefined> {
  const answer = () => client.frames.find(({ re }) => re === topic);
  client.send({ t: 'subscribe', id: topic, topic });
  await client.until('an answer', () => answer() !== undefined);
  return answer()?.code;
}

describe('a pattern', () => {
  it('brings every message whose topic it matches, in hello and in subscribe, under its own topic and in order', async () => {
    const client = await new SessionUnderTest('patterns').attach(a, { topics: ['prices.*'] });
    client.send({ t: 'subscribe', id: '1', topic: 'news.42.#' });
    await client.frame('ok');
    const topics = [
      'prices.eur',
      'prices',
      'prices.eur.spot',
      'prices.usd',
      'news.42',
      'news.4',
      'news.42.a.b',
    ];
    for (const [n, topic] of [...topics, 'prices.last'].entries()) await mesh.message(topic, n);
    await last(client, 'last');
    expect(seen(client)).toEqual([
      'message prices.eur 0',
      'message prices.usd 3',
      'message news.42 4',
      'message news.42.a.b 6',
      'message prices.last 7',
    ]);
    client.send({ t: 'unsubscribe', id: '2', topic: 'prices.*' });
    await client.frame('ok', ({ re }) => re === '2');
    await mesh.message('prices.eur', 'unwanted');
    await mesh.message('news.42', 'wanted');
    await client.until('the next', () => seen(client).length > 5);
    expect(seen(client).at(-1)).toBe('message news.42 wanted');
    await client.close();
  });

  it('that overlaps other patterns and topics brings each message once to a connection, whoever else has them', async () => {
    const topics = ['stock.eur.spot', 'stock.*.spot', 'stock.eur.*', 'stock.#', 'stock.usd.spot'];
    const both = await new SessionUnderTest('overlap').attach(a, { topics });
    const others = await Promise.all(
      topics.map((topic, n) => new SessionUnderTest(`overlap-${n}`).attach(a, { topics: [topic] })),
    );
    for (const topic of ['stock.eur.spot', 'stock.usd.spot', 'stock', 'stock.eur.x', 'stock.end'])
      await mesh.message(topic, 1);
    const all = ['eur.spot', 'usd.spot', '', 'eur.x', 'end'].map((each) =>
      `message stock.${each} 1`.replace('. ', ' '),
    );
    await last(both, 'end');
    expect(seen(both)).toEqual(all);
    const [plain, spots, eur, everything] = others as [RawClient, RawClient, RawClient, RawClient];
    await last(everything, 'end');
    expect(seen(everything)).toEqual(all);
    expect([seen(plain), seen(spots), seen(eur)]).toEqual([[all[0]], [all[0], all[1]], [all[0], all[3]]]);
    // What is left goes on, each for itself.
    for (const topic of ['stock.#', 'stock.eur.*']) both.send({ t: 'unsubscribe', id: topic, topic });
    await both.frame('ok', ({ re }) => re === 'stock.eur.*');
    for (const topic of ['stock.eur.x', 'stock.eur.spot']) await mesh.message(topic, 2);
    await both.until('the last', () => seen(both).length > all.length);
    expect(seen(both).at(-1)).toBe('message stock.eur.spot 2');
    await Promise.all([both, ...others].map((client) => client.close()));
  });

  it('is forbidden unless all that it matches is granted', async () => {
    const client = await new SessionUnderTest('alice').attach(a);
    expect(await refused(client, 'inbox.alice.#')).toBeUndefined();
    expect(await refused(client, 'inbox.*')).toBe('forbidden');
    expect(await refused(client, 'inbox.#')).toBe('forbidden');
    expect(await refused(client, '#')).toBe('forbidden');
    expect(await refused(client, '*.alice')).toBe('forbidden');
    expect(await refused(client, 'room.#')).toBe('forbidden');
    expect(await refused(client, 'a.**')).toBe('bad-topic');
    await client.close();
  });

  it('is told by its own name in a gap', async () => {
    const client = await new SessionUnderTest('gaps').attach(a, { topics: ['big.*', 'big.one'] });
    await mesh.publisher.publish(
      exchanges.events,
      topicKey('big.one'),
      JSON.stringify('x'.repeat(1_100_000)),
      {
        contentType: 'application/json',
      },
    );
    await client.until('its gaps', () => seen(client).length === 2);
    expect(seen(client).sort()).toEqual(['gap big.* too-large', 'gap big.one too-large']);
    const again = await new SessionUnderTest('gaps-back').attach(a, { resume: true, topics: ['big.*'] });
    await again.pinged();
    // There is no such session: that its events may be missing too is told beside it.
    expect(seen(again).filter((each) => each.includes('big'))).toEqual(['gap big.* connection-lost']);
    await Promise.all([client.close(), again.close()]);
  });

  it('moves with its session: every message comes on the one socket or the other, with a mark between', async () => {
    const session = new SessionUnderTest('moving');
    const topics = ['ticks.*', 'ticks.odd'];
    const first = await session.attach(a, { topics });
    let n = 0;
    let isOver = false;
    const flow = (async () => {
      while (!isOver) {
        n += 1;
        await mesh.message(n % 2 ? 'ticks.odd' : 'ticks.even', n);
      }
    })();
    await first.until('messages', () => seen(first).length > 20);
    const second = await mesh.follow(session, first, a, b, { topics });
    await second.frame('welcome');
    const moved = await first.frame('moved');
    await second.frame('mark', ({ mark }) => mark === moved.mark);
    const before = n;
    await second.until('messages', () => second.frames.some(({ data }) => Number(data) > before));
    isOver = true;
    await flow;
    await second.until('the last', () => second.frames.at(-1)?.data === n);
    const numbers = (client: RawClient) =>
      client.frames.filter(({ t }) => t === 'message').map(({ data }) => Number(data));
    const at = second.frames.findIndex(({ t, mark }) => t === 'mark' && mark === moved.mark);
    const behind = second.frames.slice(at).filter(({ t }) => t === 'message');
    const all = [...numbers(first), ...behind.map(({ data }) => Number(data))];
    expect(all).toEqual(Array.from({ length: all.length }, (_, i) => (all[0] ?? 0) + i));
    expect(all.at(-1)).toBe(n);
    expect([...first.frames, ...second.frames].filter(({ t }) => t === 'gap')).toEqual([]);
    await Promise.all([first.close(), second.close()]);
  });
});
