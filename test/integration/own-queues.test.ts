import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Broker, type Publisher } from '@evenkeel/broker';
import { type Member, type Mesh, type PrivateBroker, startMesh } from '@evenkeel/local';
import { exchanges, type Placement, topicKey, userKey } from '@evenkeel/protocol';
import { RawClient } from '@evenkeel/testkit';
import { createOperator, type Operator } from 'evenkeel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestBroker } from '../support/private-broker.js';
import { eventually } from './broker-fixture.js';

/** Longest wait for a mesh to serve again; how long it took is printed. On a busy machine it is longer than on an idle one. */
const patienceMs = 30_000;

interface Subscriber {
  readonly user: string;
  readonly topic: string;
  readonly client: RawClient;
}

let broker: PrivateBroker;
let mesh: Mesh;
let operator: Operator;
let observer: Broker;
let publisher: Publisher;
const subscribers: Subscriber[] = [];
const cleanUps: (() => unknown)[] = [];

beforeAll(async () => {
  // Of its own: it is emptied.
  broker = await startTestBroker();
  cleanUps.push(() => broker.stop());
  const logDir = join(import.meta.dirname, '..', '..', '.evenkeel', 'test-logs', `own-queues-${process.pid}`);
  mesh = await startMesh({ edges: 2, amqpUrl: broker.amqpUrl, urlFor: broker.urlFor, logDir });
  cleanUps.push(() => mesh.stop());
  operator = await createOperator({ amqpUrl: broker.urlFor('operator'), timeoutMs: 3_000 });
  cleanUps.push(() => operator.close());
  observer = await Broker.connect({ url: broker.amqpUrl, name: 'own-queues test', retryMaxMs: 500 });
  cleanUps.push(() => observer.close());
  publisher = observer.publisher();
  for (let n = 0; n < 6; n++) subscribers.push(await subscribe(`user-${n}`, `topic-${n}`));
  // A balancer waits a little before it counts a new node in.
  await servesAgain();
  expect(new Set(subscribers.map(({ client }) => client.frames[0]?.node)).size).toBe(2);
}, 180_000);

afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
}, 60_000);

async function subscribe(user: string, topic: string): Promise<Subscriber> {
  const { url, ticket } = await placement(user);
  const client = await RawClient.open(url, ticket);
  client.send({ t: 'hello', topics: [topic] });
  await client.frame('welcome');
  return { user, topic, client };
}

async function placement(user: string): Promise<Placement> {
  const response = await fetch(`${mesh.gatewayUrl}/gateway?user=${user}`);
  if (!response.ok) throw new Error(`the gateway answers ${response.status}: ${await response.text()}`);
  return (await response.json()) as Placement;
}

/** What `/readyz` says; undefined: ready. */
async function redness(member: Member): Promise<string | undefined> {
  const response = await fetch(`${member.opsUrl}/readyz`);
  const text = await response.text();
  return response.ok ? undefined : `${member.name}: ${text}`;
}

/** Fails unless the mesh does all it is for. */
async function serve(): Promise<void> {
  for (const member of mesh.members) expect(await redness(member)).toBeUndefined();
  await placement('newcomer');
  const { nodes } = await operator.status();
  expect(nodes.map(({ node, state }) => `${node} ${state}`).sort()).toEqual([
    'edge-1 active',
    'edge-2 active',
  ]);
  for (const { user, topic, client } of subscribers) {
    const mark = randomUUID();
    const isMarked = ({ data }: { data?: unknown }) => data === mark;
    const properties = { contentType: 'application/json', messageId: mark, mandatory: true };
    for (const key of [userKey(user, 'e'), topicKey(topic)]) {
      expect(await publisher.publish(exchanges.events, key, JSON.stringify(mark), properties, 2_000)).toBe(
        'routed',
      );
    }
    await client.frame('event', isMarked, 2_000);
    await client.frame('message', isMarked, 2_000);
    // Each edge hears and answers commands.
    const where = await operator.where(user);
    expect(where).toMatchObject({ answered: 2, missing: [], sessions: [{ node: client.frames[0]?.node }] });
  }
}

async function servesAgain(sinceMs = performance.now()): Promise<number> {
  let failure: unknown;
  while (performance.now() - sinceMs < patienceMs) {
    try {
      await serve();
      return Math.round(performance.now() - sinceMs);
    } catch (error) {
      failure = error;
      await pause(50);
    }
  }
  throw failure;
}

/**
 * The services' queues there are; of as many as are known the one of `kind`, if that is named, is deleted then. Exclusive ones nobody can
 * delete but RabbitMQ itself, which takes over a second for each command: so one does both.
 */
async function queueNames(kind?: string): Promise<string[]> {
  const ofKind = `^${(kind ?? '').replaceAll('.', '[.]')}([.][A-Za-z0-9_-]{8})?$`;
  const listed = await broker.ctl([
    'eval',
    `All = [{element(4, amqqueue:get_name(Q)), Q} || Q <- rabbit_amqqueue:list(<<"/">>)],
     Own = [{N, Q} || {N, Q} <- All, amqqueue:get_exclusive_owner(Q) =/= none orelse re:run(N, <<"^mesh[.]">>) =/= nomatch],
     [rabbit_amqqueue:delete(Q, false, false, <<"a test">>)
       || {N, Q} <- Own, length(Own) =:= ${kind === undefined ? 0 : expectedKinds.length}, re:run(N, <<"${ofKind}">>) =/= nomatch],
     iolist_to_binary(lists:join(<<",">>, [N || {N, _} <- Own])).`,
  ]);
  return /<<"(.*)">>/s.exec(listed)?.[1]?.split(/,\s*/) ?? [];
}

const brokerLost =
  ({ topic }: Subscriber) =>
  (frame: { topic?: string; reason?: string }) =>
    frame.topic === topic && frame.reason === 'broker-lost';
const gaps = (subscriber: Subscriber) => subscriber.client.of('gap').filter(brokerLost(subscriber)).length;

/** Each queue of the services, without the random word at its end where it has one. */
const kinds = [
  'gateway',
  'balancer.balancer',
  'balancer.balancer.answers',
  'balancer.balancer.replies',
  'operator',
  'mesh.leader',
  'mesh.manage',
  'mesh.manage.dead',
  'mesh.plan',
  'mesh.dropped',
  'mesh.presence.asked',
  'mesh.topics',
  'mesh.ask',
  'edge.edge-1',
  'edge.edge-2',
  'edge.edge-1.answers',
  'edge.edge-1.dropped',
  'edge.edge-1.name',
  'edge.edge-1.presence',
  'edge.edge-2.answers',
  'edge.edge-2.dropped',
  'edge.edge-2.name',
  'edge.edge-2.presence',
  'control.edge-1',
  'control.edge-2',
];
/** Those, and the stream of denials, which holds what nobody else has. */
const expectedKinds = [...kinds, 'mesh.denials'].sort();
const kindOf = (name: string) => (name.startsWith('mesh.') ? name : name.replace(/\.[\w-]{8}$/, ''));

it('every service logs in as a user of its own, who may do no more than it does', async () => {
  const listed = await broker.ctl(['list_connections', 'user', 'client_properties']);
  const users = new Map<string, string>();
  for (const line of listed.split('\n')) {
    const [user = '', properties = ''] = line.split('\t');
    const name = /"connection_name","([^"]*)"/.exec(properties)?.[1];
    if (name !== undefined) users.set(name, user);
  }
  users.delete('own-queues test');
  expect(Object.fromEntries(users)).toEqual({
    'edge edge-1 consuming': 'edge',
    'edge edge-1 clients': 'edge',
    'edge edge-1 publishing': 'edge',
    'edge edge-2 consuming': 'edge',
    'edge edge-2 clients': 'edge',
    'edge edge-2 publishing': 'edge',
    'gateway consuming': 'gateway',
    'gateway publishing': 'gateway',
    'balancer balancer consuming': 'balancer',
    'balancer balancer publishing': 'balancer',
    'balancer balancer direct answers': 'balancer',
    'balancer balancer leader lock': 'balancer',
    operator: 'operator',
  });
});

describe('a mesh whose queue is deleted', () => {
  const isWhole = (names: readonly string[]): boolean =>
    names.map(kindOf).sort().join() === expectedKinds.join();

  it('has the queues that are known here, and no other', async () => {
    expect((await queueNames()).map(kindOf).sort()).toEqual(expectedKinds);
  });

  it.each(kinds)('serves again: %s', async (kind) => {
    const told = subscribers.map(gaps);
    await eventually(async () => isWhole(await queueNames(kind)), 'every queue was there before, once');
    const tookMs = await servesAgain();
    console.log(`${kind}: deleted, and everything serves again after ${tookMs} ms`);
    // Whoever may have missed a message is told, and nobody else.
    const node = /^edge\.(.*)/.exec(kind)?.[1];
    const isHit = ({ client }: Subscriber) => client.frames[0]?.node === node;
    expect(subscribers.map(gaps)).toEqual(
      told.map((count, i) => count + (subscribers[i] && isHit(subscribers[i]) ? 1 : 0)),
    );
  });

  it('has them all again, each once', async () => {
    await eventually(async () => isWhole(await queueNames()), 'every queue is there, once');
  });
});

describe('a mesh whose broker is emptied', () => {
  it('is not ready meanwhile, serves again, and tells every subscriber of a topic', async () => {
    const told = subscribers.map(gaps);
    await broker.ctl(['stop_app']);
    await eventually(
      async () => (await Promise.all(mesh.members.map(redness))).every((red) => red !== undefined),
      'nobody is ready',
      patienceMs,
    );
    await broker.ctl(['reset']);
    for (const member of mesh.members) expect(await redness(member)).toContain('ready');
    await broker.ctl(['start_app']);
    const tookMs = await servesAgain();
    console.log(`the broker emptied: everything serves again ${tookMs} ms after it listens`);
    for (const [i, subscriber] of subscribers.entries()) {
      expect(gaps(subscriber)).toBeGreaterThan(told[i] ?? 0);
      expect(subscriber.client.isOpen).toBe(true);
    }
  });
});
