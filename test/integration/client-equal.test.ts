import { connect, type Status } from '@evenkeel/client';
import { exchanges, topicKey, userKey } from '@evenkeel/protocol';
import { eventually, TcpProxy } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';

/** The SDK on two edges, and publishers that give no ids: contents recur, and only the place in the stream tells them apart. */

let mesh: EdgeMesh;
let edges: { edge: EdgeUnderTest; proxy: TcpProxy; url: string }[];

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  edges = await Promise.all(
    ['a', 'b'].map(async (node) => {
      const edge = await mesh.edge(node);
      const proxy = await TcpProxy.toUrl(edge.url);
      return { edge, proxy, url: proxy.urlFor(edge.url) };
    }),
  );
});
afterAll(async () => {
  await Promise.all(edges.map(({ proxy }) => proxy.close()));
  await mesh.close();
});

const contentOf = (n: number) => (n % 2 === 0 ? 'off' : 'on');

/** A client that hears everything, one that is moved and cut, and what it got. */
async function lamp(name: string) {
  const session = new SessionUnderTest(name);
  let at = 0;
  const here = () => edges[at % 2] as (typeof edges)[number];
  const statuses: Status[] = [];
  const events: unknown[] = [];
  /** Messages, and gaps between them. */
  const messages: unknown[] = [];
  const topic = `lamp.${name}`;
  const client = connect({
    WebSocket,
    topics: [topic],
    backoff: { minMs: 5, maxMs: 20 },
    placement: async () => {
      const { edge, url } = here();
      const place = { url, node: edge.node, ticket: session.ticket(edge), session: session.sid };
      return { ...place, expiresInMs: 30_000 };
    },
  });
  onTestFinished(() => client.close());
  client.onEvent(({ data }) => events.push(data));
  client.onMessage(({ data }) => messages.push(data));
  client.onStatus((status) => {
    statuses.push(status);
    if (status.type === 'gap') messages.push('gap');
  });
  await client.ready();
  const count = (type: Status['type']) => statuses.filter((status) => status.type === type).length;
  let isPublishing = true;
  let published = 0;
  const send = async (key: string) =>
    await mesh.publisher.publish(exchanges.events, key, JSON.stringify(contentOf(published)), {
      contentType: 'application/json',
    });
  const publishing = (async () => {
    for (; isPublishing; published++)
      await Promise.all([send(userKey(session.uid, 'n')), send(topicKey(topic))]);
  })();
  return {
    events,
    messages,
    statuses,
    async move() {
      const before = count('moved');
      const from = here();
      at += 1;
      const to = { node: here().edge.node, url: here().url };
      const move = `move-${name}-${at}`;
      const sessions = [session.key];
      await mesh.command(from.edge.node, { command: 'reconnect', move, to, sessions, deadlineMs: 10_000 });
      await eventually('the move', () => count('moved') > before, 10_000);
    },
    async cut() {
      const before = count('connected');
      here().proxy.cut();
      await eventually('being back', () => count('connected') > before, 10_000);
    },
    /** What has been published, once it has come. */
    async end(): Promise<string[]> {
      isPublishing = false;
      await publishing;
      await eventually('every event', () => events.length >= published, 10_000);
      return Array.from({ length: published }, (_, n) => contentOf(n));
    },
  };
}

describe('messages without ids, whose contents recur', () => {
  it('all come, in order, over five moves under traffic: events, and messages of a topic', async () => {
    const { events, messages, statuses, move, end } = await lamp('moved');
    for (let n = 0; n < 5; n++) {
      await move();
      const seen = messages.length;
      await eventually('more', () => messages.length > seen + 20);
    }
    const all = await end();
    await eventually('every message', () => messages.length >= all.length);
    expect(events).toEqual(all);
    expect(messages).toEqual(all);
    expect(statuses.filter(({ type }) => type === 'gap')).toEqual([]);
  });

  it('come once and in order over three moves and two cuts; of a topic what is missing is told before the next', async () => {
    const { events, messages, move, cut, end } = await lamp('cut');
    for (const act of [move, cut, move, cut, move]) {
      await act();
      const seen = messages.length;
      await eventually('more', () => messages.length > seen + 20);
    }
    const all = await end();
    expect(events).toEqual(all);
    // It has another way than the last event.
    await eventually('the last message', () => messages.at(-1) === all.at(-1));
    expect(messages.filter((message) => message === 'gap')).toHaveLength(2);
    // Between two gaps nothing is missing and nothing comes twice: they take turns.
    const wrong = messages.filter((message, n) => message !== 'gap' && message === messages[n - 1]);
    expect(wrong).toEqual([]);
  });
});
