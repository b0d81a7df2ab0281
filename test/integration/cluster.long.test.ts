import type { BrokerNode } from '@evenkeel/local';
import { sessionQueue } from '@evenkeel/protocol';
import type { RawClient } from '@evenkeel/testkit';
import { expect, it, onTestFinished, vi } from 'vitest';
import { clusterForFile } from '../support/cluster.js';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';

const cluster = clusterForFile();
const patience = { timeout: 60_000, interval: 250 };

interface Attached {
  readonly session: SessionUnderTest;
  readonly client: RawClient;
}

/** The node that each session's queue lives on, by the queue's name. */
async function homes(): Promise<Map<string, string>> {
  const listed = await cluster.broker.ctl(['list_queues', 'name', 'pid']);
  const rows = listed.split('\n').map((line) => line.split('\t'));
  return new Map(rows.map(([name = '', pid = '']) => [name, /[\w-]+@localhost/.exec(pid)?.[0] ?? '']));
}

async function attach(edge: EdgeUnderTest, user: string): Promise<Attached> {
  const session = new SessionUnderTest(user);
  return { session, client: await session.attach(edge) };
}

/** Two edges whose sessions' queues live on different nodes, the first of them not where the test itself is connected. */
async function edgesApart(
  mesh: EdgeMesh,
): Promise<{ lost: EdgeUnderTest; kept: EdgeUnderTest; victim: BrokerNode }> {
  const found: { edge: EdgeUnderTest; home: string }[] = [];
  const [own] = cluster.broker.nodes;
  for (let n = 1; ; n += 1) {
    const edge = await mesh.edge(`apart-${n}`);
    const { session, client } = await attach(edge, `probe-${n}`);
    found.push({ edge, home: (await homes()).get(session.queue) ?? '' });
    await client.close();
    const lost = found.find(({ home }) => home !== own?.name);
    const kept = found.find(({ home }) => home !== lost?.home);
    const victim = cluster.broker.nodes.find(({ name }) => name === lost?.home);
    if (lost && kept && victim) return { lost: lost.edge, kept: kept.edge, victim };
  }
}

/**
 * Numbered events to all, one after the other, until told to stop. What is on its way to a queue that is lost RabbitMQ may refuse:
 * none of the others'.
 */
function publishTo(
  mesh: EdgeMesh,
  { losers, elsewhere }: { readonly losers: readonly Attached[]; readonly elsewhere: readonly Attached[] },
): { stop(): Promise<number> } {
  let isOver = false;
  let sent = 0;
  const run = async (): Promise<number> => {
    while (!isOver) {
      sent += 1;
      const n = sent;
      const toLosers = losers.map(({ session }) => mesh.event(session, n).catch(() => undefined));
      await Promise.all([...toLosers, ...elsewhere.map(({ session }) => mesh.event(session, n))]);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return sent;
  };
  const running = run();
  return {
    stop: () => {
      isOver = true;
      return running;
    },
  };
}

/** The numbers of the events, and where gaps stand among them. */
function storyOf({ client }: Attached): (number | string)[] {
  const story: (number | string)[] = [];
  for (const { t, data, reason, topic } of client.frames) {
    if (t === 'event') story.push(Number(data));
    else if (t === 'gap' && topic === undefined) story.push(String(reason));
  }
  return story;
}

const upTo = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

it('a node is lost: sessions elsewhere notice nothing, those at home there go on after one gap; it returns: nothing twice, in order', async () => {
  const { broker } = cluster;
  const mesh = await EdgeMesh.open({ vhost: '/', amqpUrl: broker.amqpUrl, urlFor: broker.urlFor });
  onTestFinished(() => mesh.close());
  const { lost, kept, victim } = await edgesApart(mesh);
  const atHome = await Promise.all(Array.from({ length: 10 }, (_, n) => attach(lost, `home-${n}`)));
  const elsewhere = await Promise.all(Array.from({ length: 10 }, (_, n) => attach(kept, `elsewhere-${n}`)));
  // Their queues stay where they were made: only the queue is lost to them, not their edge's connection.
  const moved: Attached[] = [];
  for (let n = 0; n < 10; n += 1) {
    const { session, client } = await attach(lost, `moved-${n}`);
    await client.close();
    moved.push({ session, client: await session.attach(kept, { resume: true }, { from: lost.node }) });
  }
  const [left, through] = [new SessionUnderTest('left'), new SessionUnderTest('through')];
  for (const session of [left, through]) await (await session.attach(lost)).close();
  const losers = [...atHome, ...moved];
  const before = await homes();
  for (const { session } of losers) expect(before.get(session.queue)).toBe(victim.name);
  for (const { session } of elsewhere) expect(before.get(session.queue)).not.toBe(victim.name);

  const publishing = publishTo(mesh, { losers, elsewhere });
  await Promise.all(losers.map(({ client }) => client.eventCount(20)));
  await victim.kill();
  await Promise.all(
    losers.map(({ client }) => client.frame('gap', ({ topic }) => topic === undefined, 20_000)),
  );
  const seen = losers.map(({ client }) => client.events.length);
  await Promise.all(losers.map(({ client }, n) => client.eventCount((seen[n] ?? 0) + 20)));
  // Whoever was away while its queue was lost has a gap as well, as soon as it is back.
  const back = await left.attach(kept, { resume: true }, { from: lost.node });
  expect((await back.frame('welcome')).resumed).toBe(true);
  await back.frame('gap', ({ reason }) => reason === 'broker-lost');

  await victim.restart();
  const first = (session: SessionUnderTest): string => sessionQueue(session.uid, session.sid);
  await vi.waitFor(async () => {
    const names = await homes();
    for (const { session } of losers) expect(names.has(first(session))).toBe(false);
  }, patience);
  // Its queue is back as it was: only that it lacks what was published meanwhile shows nowhere but in this gap.
  const late = await through.attach(kept, { resume: true }, { from: lost.node });
  await late.frame('gap', ({ reason }) => reason === 'broker-lost');
  const last = await publishing.stop();
  await Promise.all(
    [...losers, ...elsewhere].map(({ client }) =>
      client.until('the last', () => client.data.at(-1) === last),
    ),
  );

  for (const each of elsewhere) expect(storyOf(each)).toEqual(upTo(1, last));
  for (const each of losers) {
    const story = storyOf(each);
    expect(story.filter((part) => typeof part === 'string')).toEqual(['broker-lost']);
    const at = story.indexOf('broker-lost');
    const resumedAt = Number(story[at + 1]);
    expect(resumedAt).toBeGreaterThan(at);
    expect(story).toEqual([...upTo(1, at), 'broker-lost', ...upTo(resumedAt, last)]);
    expect(each.client.ended).toBeUndefined();
  }
});
