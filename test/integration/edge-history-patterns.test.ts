import type { RawClient, RawFrame } from '@evenkeel/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

/** A topic with history, and a pattern that matches it, on one connection. */

const kept = { subscribe: 'anyone', history: { size: 10_000, seconds: 3600 } };
const namespaces = JSON.stringify({
  namespaces: {
    '*': { subscribe: 'anyone' },
    helloa: kept,
    hellob: kept,
    latera: kept,
    laterb: kept,
    moved: kept,
    slow: kept,
  },
});
const env = { NAMESPACES: namespaces, SETTLE_TIMEOUT_MS: '400', TAKEOVER_RETRY_MS: '200' };

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  // The second one keeps little in memory, so it reads most from the stream, while messages go on to come.
  [a, b] = await Promise.all([mesh.edge('a', env), mesh.edge('b', { ...env, HISTORY_TAIL_MESSAGES: '10' })]);
});
afterAll(() => mesh.close());

const of = (client: RawClient, topic: string): RawFrame[] =>
  client.frames.filter((frame) => frame.t === 'message' && frame.topic === topic);
const data = (client: RawClient, topic: string) => of(client, topic).map((frame) => frame.data as number);
const gaps = (client: RawClient) => client.frames.filter(({ t }) => t === 'gap');

/** Publishes numbers until it is told to stop; returns the last one then. */
function flow(...topics: string[]): () => Promise<number> {
  let [n, isFlowing] = [0, true];
  const flowing = (async () => {
    while (isFlowing) {
      n += 1;
      for (const topic of topics) await mesh.message(topic, n);
    }
  })();
  return async () => {
    isFlowing = false;
    await flowing;
    return n;
  };
}

it.each(['a', 'b'])(
  'bring each message once and in order from hello on, whatever comes meanwhile, at edge %s',
  async (node) => {
    const edge = node === 'a' ? a : b;
    const topic = `hello${node}.1`;
    for (const n of range(1, 300)) await mesh.message(topic, -300 + n - 1);
    const stop = flow(topic);
    const client = await new SessionUnderTest(`hello-${node}`).attach(edge, {
      topics: [`hello${node}.*`, { topic, last: 5_000 }, `#`],
    });
    await client.until('some', () => data(client, topic).length > 400);
    const n = await stop();
    await client.until('all', () => data(client, topic).at(-1) === n);
    expect(data(client, topic)).toEqual([...range(1, 300).map((each) => -300 + each - 1), ...range(1, n)]);
    expect(gaps(client)).toEqual([]);
    await client.close();
  },
);

it.each(['a', 'b'])(
  'bring it in order also where either is subscribed while the other is on, at edge %s',
  async (node) => {
    const edge = node === 'a' ? a : b;
    const topic = `later${node}.1`;
    const stop = flow(topic, `later${node}.2`);
    const client = await new SessionUnderTest(`later-${node}`).attach(edge, { topics: [`later${node}.*`] });
    const some = async (count: number) => {
      const before = client.frames.length;
      await client.until('some more', () => client.frames.length > before + count);
    };
    await some(100);
    for (const [turn, wish] of [{ last: 3 }, { since: of(client, topic)[0]?.position as string }].entries()) {
      client.send({ t: 'subscribe', id: `on${turn}`, topic, ...wish });
      await client.frame('ok', ({ re }) => re === `on${turn}`);
      await some(100);
      client.send({ t: 'unsubscribe', id: `off${turn}`, topic });
      await client.frame('ok', ({ re }) => re === `off${turn}`);
      await some(50);
    }
    const n = await stop();
    await client.until(
      'all',
      () => data(client, topic).at(-1) === n && data(client, `later${node}.2`).at(-1) === n,
    );
    // What was asked for comes once more, behind the answer; nothing else does, and nothing comes before what is older.
    const at = (re: string) => client.frames.findIndex((frame) => frame.t === 'ok' && frame.re === re);
    const between = (from: number, to: number) =>
      client.frames
        .slice(from, to)
        .filter((frame) => frame.topic === topic)
        .map((frame) => frame.data as number);
    const parts = [between(0, at('on0')), between(at('on0'), at('on1')), between(at('on1'), Infinity)];
    for (const part of parts) expect(part).toEqual(range(part[0] ?? 0, part.at(-1) ?? 0));
    const [first = [], second = [], third = []] = parts;
    expect(second[0]).toBeLessThanOrEqual((first.at(-1) ?? 0) + 1);
    expect(third[0]).toBe((first[0] ?? 0) + 1);
    expect(data(client, `later${node}.2`)).toEqual(range(data(client, `later${node}.2`)[0] ?? 0, n));
    expect(gaps(client)).toEqual([]);
    await client.close();
  },
);

it('go on over moves under traffic with every message of the topic once and in order, compared by nobody', async () => {
  const session = new SessionUnderTest('pattern-mover');
  const topic = 'moved.1';
  let client = await session.attach(a, { topics: ['moved.#', topic] });
  const stop = flow(topic, 'moved.2');
  const seen: RawFrame[] = [];
  for (let round = 0; round < 6; round += 1) {
    const [from, to] = round % 2 === 0 ? [a, b] : [b, a];
    await client.until('some', () => of(client, topic).length > 20);
    const second = await mesh.follow(session, client, from, to, { topics: ['moved.#', topic] });
    await second.frame('welcome');
    await client.frame('moved');
    expect(gaps(client)).toEqual([]);
    seen.push(...of(client, topic));
    await client.close();
    client = second;
  }
  const n = await stop();
  await client.until('all', () => data(client, topic).at(-1) === n);
  seen.push(...of(client, topic));
  expect(seen.map((frame) => frame.data)).toEqual(range(1, n));
  expect(gaps(client)).toEqual([]);
  await client.close();
});

it('bring what a client was too slow for once and in order, behind no gap of the topic', async () => {
  const topic = 'slow.1';
  const client = await new SessionUnderTest('pattern-slow').attach(a, { topics: ['slow.*', topic] });
  const text = 'x'.repeat(60_000);
  client.freeze();
  for (const n of range(1, 300)) await mesh.message(topic, { n, text });
  client.thaw();
  await client.until('all', () => (of(client, topic).at(-1)?.data as { n: number } | undefined)?.n === 300);
  expect(of(client, topic).map((frame) => (frame.data as { n: number }).n)).toEqual(range(1, 300));
  expect(gaps(client)).toEqual([]);
  await client.close();
});
