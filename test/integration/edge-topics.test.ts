import { exchanges, topicKey } from '@evenkeel/protocol';
import { type RawClient, TcpProxy } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { comeTo, EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

/** Topics of clients that come back, or move from an edge in trouble: what is missing is told, in its place. */

let mesh: EdgeMesh;
let b: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  b = await mesh.edge('b');
});
afterAll(() => mesh.close());

/** Publishes numbers, one after the other, until the test is over. */
function flow(topic: string) {
  let isOver = false;
  let confirmed = 0;
  const running = (async () => {
    while (!isOver) {
      await mesh.publisher.publish(exchanges.events, topicKey(topic), String(confirmed + 1), {
        contentType: 'application/json',
      });
      confirmed += 1;
    }
  })();
  const end = async () => {
    isOver = true;
    await running;
    return confirmed;
  };
  onTestFinished(() => void end());
  return { confirmed: () => confirmed, end };
}

const of = (client: RawClient, topic: string) =>
  client.frames.filter((frame) => frame.topic === topic).map(({ t, data }) => (t === 'gap' ? 'gap' : data));

describe('a topic of a client that comes back', () => {
  it('begins with its gap, and with nothing from before its hello, though others have it here and it flows', async () => {
    const topic = 'flowing';
    const neighbour = await new SessionUnderTest('flow-neighbour').attach(b, { topics: [topic] });
    const { confirmed } = flow(topic);
    await neighbour.until('messages', () => of(neighbour, topic).length > 20);
    for (let n = 0; n < 20; n++) {
      const session = new SessionUnderTest(`flow-${n}`);
      const client = await session.open(b);
      const before = confirmed();
      client.send({ t: 'hello', resume: true, topics: [topic] });
      await client.until('messages', () => of(client, topic).length > 5);
      const [gap, first] = of(client, topic);
      expect(gap).toBe('gap');
      expect(first).toBeGreaterThan(before);
      await client.close();
    }
    await neighbour.close();
  });
});

describe('a topic of a client that moves', () => {
  it.each([170, 300])(
    'has its gap told where its old edge has lost the broker %i ms ago, as it is to those that stay',
    async (afterMs) => {
      const proxy = await TcpProxy.toUrl(mesh.amqpUrl);
      onTestFinished(() => proxy.close());
      const a = await mesh.edge(`lost-${afterMs}`, { AMQP_URL: proxy.urlFor(mesh.urlFor('edge')) });
      const topic = `doubtful-${afterMs}`;
      const session = new SessionUnderTest(`doubtful-${afterMs}`);
      const first = await session.attach(a, { topics: [topic] });
      const neighbour = await new SessionUnderTest(`stays-${afterMs}`).attach(a, {
        topics: [topic, ...range(1, 100).map((n) => `other.${n}`)],
      });
      const { end, confirmed } = flow(topic);
      await first.until('messages', () => of(first, topic).length > 5);
      proxy.cut();
      // Not a wait for something: at which moment of the recovery it moves.
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      const askToMove = () => mesh.askToMove(session, first, a, b);
      // The command may find no queue yet.
      const { ticket } = await askToMove().catch(askToMove);
      const second = await comeTo(b, ticket, { topics: [topic] });
      await second.frame('welcome', undefined, 20_000);
      const seen = confirmed();
      await second.until('messages', () => of(second, topic).some((n) => Number(n) > seen));
      const all = await end();
      await second.until('the last', () => of(second, topic).at(-1) === all);
      const [old, fresh] = [of(first, topic), of(second, topic)];
      const got = new Set([...old, ...fresh]);
      const missing = range(1, all).filter((n) => n > Number(old[0]) && !got.has(n));
      await neighbour.until('its gap', () => of(neighbour, topic).includes('gap'));
      if (missing.length > 0) expect([...old, ...fresh]).toContain('gap');
      await Promise.all([first.close(), second.close(), neighbour.close()]);
    },
  );
});
