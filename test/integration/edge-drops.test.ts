import { type RawClient, TcpProxy } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { rabbitmqctl } from '../support/broker.js';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

/** What RabbitMQ drops from sessions' queues, whatever makes it: the client is told before the next event. */

const env = { SESSION_MAX_LENGTH: '100', WINDOW: '8', SETTLE_TIMEOUT_MS: '1000' };

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  [a, b] = await Promise.all([mesh.edge('a', env), mesh.edge('b', env)]);
});
afterAll(() => mesh.close());

/** What a client has got: numbers, and gaps of its events, each repeat left out. */
function story(...clients: RawClient[]): (number | string)[] {
  const seen = new Set<unknown>();
  return clients
    .flatMap((client) => client.frames)
    .filter(({ t, topic }) => t === 'event' || (t === 'gap' && topic === undefined))
    .map(({ t, data, reason }) => (t === 'gap' ? `gap ${reason}` : Number(data)))
    .filter((each) => typeof each === 'string' || (!seen.has(each) && seen.add(each)));
}

/** Numbers that are missing without a gap before the next one. */
function lostInSilence(told: readonly (number | string)[], published: number): number[] {
  const lost: number[] = [];
  let newest = 0;
  let isTold = false;
  for (const each of told) {
    if (typeof each === 'string') isTold = true;
    else {
      if (!isTold) lost.push(...range(newest + 1, each - 1));
      newest = each;
      isTold = false;
    }
  }
  return [...lost, ...range(newest + 1, published)];
}

/** A policy for the queues of these tests' vhost alone. */
async function policy(definition: object): Promise<void> {
  const name = `drops-${Math.random().toString(36).slice(2)}`;
  const at = ['-p', mesh.vhost];
  const how = ['--apply-to', 'queues'];
  await rabbitmqctl('set_policy', ...at, ...how, name, '^session\\.policy', JSON.stringify(definition));
  onTestFinished(async () => {
    await rabbitmqctl('clear_policy', ...at, name);
  });
}

async function away(session: SessionUnderTest, count: number, meanwhile = async () => {}) {
  await (await session.attach(a)).close();
  await mesh.settled(session, { consumers: 0 });
  await mesh.numbers(session, 1, count);
  await meanwhile();
  const client = await session.attach(a, { resume: true });
  await mesh.event(session, count + 1);
  await client.until('the newest', () => client.data.at(-1) === count + 1);
  return client;
}

describe('a session that was away', () => {
  it('has nothing told where its queue has just what it may', async () => {
    const client = await away(new SessionUnderTest('just-full'), 100);
    expect(story(client)).toEqual(range(1, 101));
    await client.close();
  });

  it('is told of an overflow by a policy of the broker', async () => {
    await policy({ 'max-length': 20 });
    const client = await away(new SessionUnderTest('policy-length'), 50);
    expect(lostInSilence(story(client), 51)).toEqual([]);
    expect(client.of('gap')).toHaveLength(1);
    await client.close();
  });

  it('is told where a policy of the broker let all of its events expire', async () => {
    await policy({ 'message-ttl': 200 });
    const session = new SessionUnderTest('policy-ttl');
    const client = await away(session, 5, () => mesh.settled(session, { messages: 0 }));
    expect(story(client)).toEqual(['gap expired', 6]);
    await client.close();
  });

  it('is told of an overflow by a setting that has been changed since', async () => {
    const session = new SessionUnderTest('changed-setting');
    const small = await mesh.edge('small', { ...env, SESSION_MAX_LENGTH: '20' });
    await (await session.attach(small)).close();
    await mesh.settled(session, { consumers: 0 });
    await mesh.numbers(session, 1, 60);
    const client = await session.attach(a, { resume: true });
    await client.until('the newest', () => client.data.at(-1) === 60);
    expect(lostInSilence(story(client), 60)).toEqual([]);
    expect(client.of('gap')).toHaveLength(1);
    await client.close();
  });

  it('is told of events whose own time to live was over', async () => {
    const session = new SessionUnderTest('ttl');
    await (await session.attach(a)).close();
    await mesh.settled(session, { consumers: 0 });
    for (const n of range(1, 3)) await mesh.event(session, n, n === 2 ? { expiration: 1 } : {});
    const client = await session.attach(a, { resume: true });
    await client.until('the newest', () => client.data.at(-1) === 3);
    expect(lostInSilence(story(client), 3)).toEqual([]);
    expect(story(client)).toContain('gap expired');
    await client.close();
  });

  it('is told again on the next connection what it has not shown to have heard', async () => {
    const session = new SessionUnderTest('unheard');
    await (await session.attach(a)).close();
    await mesh.settled(session, { consumers: 0 });
    await mesh.numbers(session, 1, 150);
    const deaf = await session.attach(a, { resume: true }, {}, { acks: false });
    await deaf.frame('gap');
    deaf.terminate();
    const client = await session.attach(b, { resume: true }, { from: 'a' });
    await client.until('the newest', () => client.data.at(-1) === 150);
    expect(lostInSilence(story(client), 150)).toEqual([]);
    await client.close();
    const next = await session.attach(a, { resume: true }, { from: 'b' });
    await mesh.event(session, 151);
    await next.eventCount(1);
    expect(next.kinds).toEqual(['welcome', 'event']);
    await next.close();
  });
});

/** They come to `a` in a crowd, so that their seals wait their turn. */
const crowd = async (name: string) =>
  await Promise.all(
    range(1, 40).map(async (n) => {
      const session = new SessionUnderTest(`${name}-${n}`);
      const client = await session.attach(a, {}, {}, { acks: false });
      return { session, client };
    }),
  );

describe('a session that loses its socket before its seal is planted', () => {
  it.each([
    ['at its edge', () => a],
    ['at another edge', () => b],
  ])('comes back %s at once, and is told nothing in vain', async (_, next) => {
    const came = await crowd('early');
    await Promise.all(came.map(({ session }) => mesh.numbers(session, 1, 20)));
    await Promise.all(came.map(({ client }) => client.eventCount(8)));
    for (const { client } of came) client.terminate();
    await Promise.all(
      came.map(async ({ session }) => {
        const again = await session.attach(next(), { resume: true }, { from: a.node });
        await again.until('the newest', () => again.data.at(-1) === 20);
        expect(story(again)).toEqual(range(1, 20));
        await again.close();
      }),
    );
  });

  it('is told what was dropped before it was back', async () => {
    const came = await crowd('early-and-dropped');
    for (const { client } of came) client.terminate();
    await Promise.all(
      came.map(async ({ session }) => {
        await mesh.numbers(session, 1, 104);
        const again = await session.attach(b, { resume: true }, { from: a.node });
        await again.until('the newest', () => again.data.at(-1) === 104);
        expect(lostInSilence(story(again), 104)).toEqual([]);
        await again.close();
      }),
    );
  });
});

describe('a session that is attached', () => {
  it('is told where its edge was without the broker while its queue overflowed', async () => {
    const proxy = await TcpProxy.toUrl(mesh.amqpUrl);
    onTestFinished(() => proxy.close());
    const edge = await mesh.edge('cut', { ...env, AMQP_URL: proxy.urlFor(mesh.urlFor('edge')) });
    const session = new SessionUnderTest('cut');
    const client = await session.attach(edge);
    await mesh.numbers(session, 1, 10);
    await client.eventCount(10);
    proxy.refuse();
    proxy.cut();
    await mesh.settled(session, { consumers: 0 });
    await mesh.numbers(session, 11, 300);
    proxy.allow();
    await client.until('the newest', () => client.data.at(-1) === 300);
    expect(lostInSilence(story(client), 300)).toEqual([]);
    expect(client.of('gap')).toHaveLength(1);
    await client.close();
  });

  it('is told nothing where its edge was without the broker and nothing was dropped', async () => {
    const proxy = await TcpProxy.toUrl(mesh.amqpUrl);
    onTestFinished(() => proxy.close());
    const edge = await mesh.edge('cut-idle', { ...env, AMQP_URL: proxy.urlFor(mesh.urlFor('edge')) });
    const session = new SessionUnderTest('cut-idle');
    const client = await session.attach(edge);
    await mesh.numbers(session, 1, 10);
    await client.eventCount(10);
    proxy.cut();
    await mesh.numbers(session, 11, 60);
    await client.until('the newest', () => client.data.at(-1) === 60);
    expect(story(client)).toEqual(range(1, 60));
    await client.close();
  });

  it('and is slow, is told of every hole while it reads on, and of none where there is none', async () => {
    const [slow, quick] = [new SessionUnderTest('slow'), new SessionUnderTest('quick')];
    const client = await slow.attach(a, {}, {}, { acks: false });
    const other = await quick.attach(a);
    let isFlooded = false;
    await mesh.numbers(slow, 1, 60);
    await mesh.numbers(quick, 1, 60);
    for (let acked = 0; client.data.at(-1) !== 400; ) {
      await client.until('more', () => client.events.length > acked);
      acked = client.events.length;
      if (acked >= 24 && !isFlooded) await mesh.numbers(slow, 61, 400);
      isFlooded ||= acked >= 24;
      client.ack(acked);
    }
    await other.eventCount(60);
    expect(lostInSilence(story(client), 400)).toEqual([]);
    expect(story(other)).toEqual(range(1, 60));
    await Promise.all([client.close(), other.close()]);
  });

  it('and slow, is told by the next edge of what is dropped while its move waits for its last acknowledgement', async () => {
    const session = new SessionUnderTest('settles');
    const first = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 5);
    await first.eventCount(5);
    const second = await mesh.follow(session, first, a, b);
    await first.frame('moved');
    await mesh.numbers(session, 6, 200);
    await second.until('the newest', () => second.data.at(-1) === 200);
    expect(lostInSilence(story(first, second), 200)).toEqual([]);
    await Promise.all([first.close(), second.close()]);
  });
});
