import { sessionQueue } from '@evenkeel/protocol';
import type { RawClient } from '@evenkeel/testkit';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';
import { metric } from '../support/metric.js';
import { PlainService } from '../support/plain-service.js';

/** One RabbitMQ by two addresses: what leaves one of them goes to the other. */
const [numbered, named] = ['127.0.0.1', 'localhost'] as const;

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;
let addresses: { numbered: string; named: string };

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  const url = new URL(mesh.urlFor('edge'));
  const at = (host: string) => Object.assign(new URL(url), { hostname: host });
  addresses = { numbered: at(numbered).host, named: at(named).host };
  const env = { AMQP_URL: [at(numbered).href, at(named).href].join() };
  [a, b] = await Promise.all([mesh.edge('a', env), mesh.edge('b', env)]);
  await Promise.all([goTo(a, addresses.numbered), goTo(b, addresses.named)]);
});
afterAll(() => mesh.close());

interface Brokers {
  readonly brokers: { readonly known: string[]; readonly at: string[] };
}

const statusOf = async ({ member }: EdgeUnderTest): Promise<Brokers> =>
  (await (await fetch(`${member.opsUrl}/status`)).json()) as Brokers;

const other = (address: string) => (address === addresses.numbered ? addresses.named : addresses.numbered);

/** All connections of the edge go to this address. */
async function goTo(edge: EdgeUnderTest, address: string): Promise<void> {
  await mesh.command(edge.node, { command: 'leave-broker', broker: other(address), connections: true });
  await vi.waitFor(async () => expect((await statusOf(edge)).brokers.at).toEqual([address]), {
    timeout: 15_000,
    interval: 100,
  });
}

/** The queue of the one session of the edge leaves this address. */
async function rehome(edge: EdgeUnderTest, from: string): Promise<void> {
  const done = () => metric(edge.member, 'evenkeel_queues_rehomed_total', { outcome: 'done' });
  const before = await done();
  await mesh.command(edge.node, { command: 'leave-broker', broker: from });
  await vi.waitFor(async () => expect(await done()).toBe(before + 1), { timeout: 20_000, interval: 50 });
}

/** Asks and asks, answered at once; resolves with how often each was answered. */
async function ask(client: RawClient, service: PlainService, round: number): Promise<number[]> {
  const ids = range(1, 40).map((n) => `r${round}.${n}`);
  await Promise.all(
    ids.map(async (id, n) => {
      await new Promise((resolve) => setTimeout(resolve, n * 15));
      client.send({ t: 'request', id, method: 'shop.echo', data: id });
      const asked = await vi.waitUntil(() => service.asked.find(({ data }) => data === id), {
        timeout: 10_000,
      });
      await service.say(asked, id);
      await client.frame('ok', ({ re }) => re === id);
    }),
  );
  return ids.map((id) => client.frames.filter(({ t, re }) => t === 'ok' && re === id).length);
}

interface Numbered {
  readonly publisher: number;
  readonly n: number;
}

/** Publishers who wait for each confirm, so that each has an order. */
function publish(session: SessionUnderTest, publishers: number) {
  const last = Array.from({ length: publishers }, () => 0);
  let isOn = true;
  const all = last.map(async (_, publisher) => {
    while (isOn) {
      last[publisher] = (last[publisher] ?? 0) + 1;
      await mesh.event(session, { publisher, n: last[publisher] });
    }
  });
  return {
    stop: async (): Promise<readonly number[]> => {
      isOn = false;
      await Promise.all(all);
      return last;
    },
  };
}

const events = (client: RawClient): Numbered[] =>
  client.frames.filter(({ t }) => t === 'event').map(({ data }) => data as Numbered);

it('changes the queue of a session under events, and again after a move: every publisher’s come once and in order, without a gap', async () => {
  const session = new SessionUnderTest('mover');
  const service = await PlainService.open(mesh);
  let client = await session.attach(a, { ack: 'write' });
  const publishing = publish(session, 4);
  onTestFinished(() => void publishing.stop());
  const seen: Numbered[] = [];
  const rounds = 4;
  for (let round = 0; round < rounds; round += 1) {
    const [from, to] = round % 2 === 0 ? [a, b] : [b, a];
    const next = await mesh.follow(session, client, from, to, { ack: 'write' });
    await next.frame('welcome');
    await client.frame('moved');
    seen.push(...events(client));
    expect(client.frames.filter(({ t }) => t === 'gap')).toEqual([]);
    await client.close();
    client = next;
    // The first request of a connection lets replies in, whichever queue it has by then.
    const [answers] = await Promise.all([
      ask(client, service, round),
      rehome(to, to === b ? addresses.numbered : addresses.named),
    ]);
    expect(answers).toEqual(answers.map(() => 1));
    const here = client.frames.length;
    await client.until('events of the new queue', () => client.frames.length > here + 20);
  }
  const last = await publishing.stop();
  const isThere = () =>
    last.every((n, publisher) =>
      [...seen, ...events(client)].some((e) => e.publisher === publisher && e.n === n),
    );
  await client.until('the last of each', isThere);
  seen.push(...events(client));
  expect(client.frames.filter(({ t }) => t === 'gap')).toEqual([]);
  for (const [publisher, count] of last.entries()) {
    const numbers = seen.filter((event) => event.publisher === publisher).map(({ n }) => n);
    expect(numbers).toEqual(Array.from({ length: count }, (_, n) => n + 1));
  }
  expect((await mesh.topology.checkQueue(sessionQueue(session.uid, session.sid, rounds)))?.consumers).toBe(1);
  // What was before is kept for a while, for what comes late.
  for (const round of range(0, rounds - 1)) {
    const before = sessionQueue(session.uid, session.sid, round);
    const isGone = async () => expect(await mesh.topology.checkQueue(before)).toBeUndefined();
    await vi.waitFor(isGone, { timeout: 20_000, interval: 500 });
  }
  await client.close();
});
