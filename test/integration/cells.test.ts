import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, connect, type Status } from '@evenkeel/client';
import { freePort, Member } from '@evenkeel/local';
import { CellMap, createPublisher, type Publisher } from '@evenkeel/publisher';
import { eventually, TcpProxy } from '@evenkeel/testkit';
import { createOperator } from 'evenkeel';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { balancerOf } from '../support/balancer.js';
import { EdgeMesh } from '../support/edge.js';
import { secret } from '../support/edge-session.js';

// Two virtual hosts are two cells: they share nothing. Two brokers are in test/system/cells.test.ts.
const names = ['north', 'south'] as const;
type Name = (typeof names)[number];

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-cells-'));
const mapFile = join(folder, 'cells.json');
const cells = new Map<Name, { mesh: EdgeMesh; proxy: TcpProxy }>();
let gateway: Member;
const lines: string[] = [];
let gatewayUrl: string;
let publisher: Publisher;
let map: CellMap;
/** Users by where they are: of their own choice, or by the hash. */
let placed: Record<string, object | string> = {};

const cell = (name: Name) => cells.get(name) as { mesh: EdgeMesh; proxy: TcpProxy };
/** The map with the addresses of one user of the brokers. */
const mapFor = (user: string, isProxied = false): string =>
  JSON.stringify({
    cells: Object.fromEntries(
      names.map((name) => {
        const url = cell(name).mesh.urlFor(user);
        return [name, { amqpUrl: isProxied ? cell(name).proxy.urlFor(url) : url }];
      }),
    ),
    users: placed,
  });

/** First publishers, then gateways: what is published for who is sent elsewhere is there already. */
async function place(users: Record<string, object | string>): Promise<void> {
  placed = { ...placed, ...users };
  map.update(mapFor('app-shop'));
  writeFileSync(mapFile, mapFor('gateway', true));
  gateway.reload();
  for (const [user, where] of Object.entries(users)) {
    const wanted = typeof where === 'string' ? where : (where as { cell: string }).cell;
    await isSentTo(user, `${wanted}-1`);
  }
}

const readies = async () => {
  const response = await fetch(`${gateway.opsUrl}/readyz`);
  return { status: response.status, text: await response.text() };
};
const ask = (user: string) => fetch(`${gatewayUrl}/gateway?user=${user}`);
const nodeOf = async (user: string) => ((await (await ask(user)).json()) as { node: string }).node;

/** Asked now and then: a user may ask so often. */
const isSentTo = (user: string, node: string) =>
  vi.waitFor(async () => expect(await nodeOf(user)).toBe(node), { timeout: 20_000, interval: 250 });

interface Got {
  readonly client: Client;
  readonly events: unknown[];
  readonly statuses: Status[];
  gaps(): unknown[];
}

async function client(user: string, topics: readonly string[] = []): Promise<Got> {
  const made = connect({ gateway: gatewayUrl, user, storage: false });
  onTestFinished(() => made.close());
  const events: unknown[] = [];
  const statuses: Status[] = [];
  made.onStatus((status) => statuses.push(status));
  made.on('n', ({ data }) => void events.push(data));
  for (const topic of topics) await made.subscribe(topic, ({ data }) => void events.push(data));
  await made.ready();
  const gaps = () =>
    statuses.flatMap((status) => (status.type === 'gap' ? [[status.topic, status.reason]] : []));
  return { client: made, events, statuses, gaps };
}

beforeAll(async () => {
  placed = { alice: 'north', bob: 'south', carol: 'north', dave: 'north' };
  for (const name of names) {
    const mesh = await EdgeMesh.open();
    cells.set(name, { mesh, proxy: await TcpProxy.toUrl(mesh.amqpUrl) });
    await balancerOf(mesh);
    await mesh.edge(`${name}-1`);
  }
  // As one that is down is found by a gateway that starts.
  cell('south').proxy.refuse();
  map = new CellMap(mapFor('app-shop'));
  writeFileSync(mapFile, mapFor('gateway', true));
  const port = await freePort();
  gatewayUrl = `http://127.0.0.1:${port}`;
  gateway = new Member({
    role: 'gateway',
    name: 'gateway',
    opsPort: await freePort(),
    env: {
      EVENKEEL_CELLS: mapFile,
      EVENKEEL_SECRET: secret,
      EVENKEEL_AUTH: 'dev',
      EVENKEEL_HOST: '127.0.0.1',
      EVENKEEL_PORT: String(port),
    },
    onLine: (_, line) => void lines.push(line),
    onUnexpectedEnd: () => undefined,
  });
  await gateway.start();
  publisher = await createPublisher({ cells: map, name: 'shop' });
});

afterAll(async () => {
  await publisher.close();
  await gateway.stop();
  for (const { mesh, proxy } of cells.values()) {
    await mesh.close();
    await proxy.close();
  }
  rmSync(folder, { recursive: true });
});

it('a cell that is down concerns its users alone: they are told when to come back, and the gateway says which it is', async () => {
  const refused = await ask('bob');
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await nodeOf('alice')).toBe('north-1');
  const { status, text } = await readies();
  expect(status).toBe(200);
  expect(text).toContain('south: ');
  const said = () => lines.filter((line) => /turned away|placed again/.test(line));
  expect(said()).toEqual([expect.stringMatching(/"cell":"south".*clients turned away/)]);
  cell('south').proxy.allow();
  await isSentTo('bob', 'south-1');
  await eventually('nothing is said of south', async () => !(await readies()).text.includes('south: '));
  expect(said().at(-1)).toMatch(/"cell":"south".*clients are placed again/);
});

it('users of both cells get their events, topics and answers by one publisher', async () => {
  const [alice, bob] = await Promise.all([client('alice', ['news']), client('bob', ['news'])]);
  const service = await publisher.serve('shop.greet', ({ user }) => `Hello, ${user}`);
  expect((await publisher.toUsers(['alice', 'bob'], 'n', 1)).map(({ routed }) => routed)).toEqual([
    true,
    true,
  ]);
  await publisher.batch([
    { user: 'bob', event: 'n', payload: 2 },
    { users: ['alice', 'bob'], event: 'n', payload: 3 },
    { topic: 'news', payload: 4 },
  ]);
  await expect.poll(() => alice.events).toEqual(expect.arrayContaining([1, 3, 4]));
  await expect.poll(() => bob.events).toEqual(expect.arrayContaining([1, 2, 3, 4]));
  expect(await alice.client.request('shop.greet')).toBe('Hello, alice');
  expect(await bob.client.request('shop.greet')).toBe('Hello, bob');
  bob.client.serve('ready', () => true);
  expect(await publisher.ask('bob', 'ready')).toBe(true);
  expect((await publisher.online('bob')).sessions).toMatchObject([{ node: 'south-1' }]);
  await service.stop();
});

it('a user who is to be in another cell is sent back, and is told one gap; nothing comes twice', async () => {
  const carol = await client('carol');
  const dave = await client('dave');
  await publisher.toUser('carol', 'n', 0);
  await expect.poll(() => carol.events).toEqual([0]);
  await place({ carol: { cell: 'south', was: 'north' } });
  // Those who are connected stay until they are sent back, and get what is published meanwhile.
  await publisher.toUser('carol', 'n', 1);
  await expect.poll(() => carol.events).toEqual([0, 1]);
  let sent = 1;
  const results: Promise<{ routed: boolean }>[] = [];
  const timer = setInterval(() => results.push(publisher.toUser('carol', 'n', ++sent)), 5);
  const operator = await createOperator({ amqpUrl: cell('north').mesh.urlFor('operator') });
  try {
    expect(await operator.sendBack({ user: 'carol' })).toMatchObject({ sessions: [{ node: 'north-1' }] });
    await eventually('carol is in the other cell', async () =>
      (await publisher.online('carol')).sessions.some(({ node }) => node === 'south-1'),
    );
  } finally {
    clearInterval(timer);
    await operator.close();
  }
  const routed = (await Promise.all(results)).map((each) => each.routed);
  await publisher.toUser('carol', 'n', 'last');
  await expect.poll(() => carol.events.at(-1)).toBe('last');
  expect(carol.gaps()).toEqual([[undefined, 'session-expired']]);
  expect(new Set(carol.events).size).toBe(carol.events.length);
  // What no session was there for, the publisher was told; the gap stands for it.
  const missing = Array.from({ length: sent }, (_, n) => n + 1).filter((n) => !carol.events.includes(n));
  expect(missing.filter((n) => routed[n - 2] === true).length).toBeLessThanOrEqual(64);
  // Nobody else was touched, and what is only for those in the cell goes there alone from now on.
  expect(dave.statuses.filter(({ type }) => type === 'disconnected')).toEqual([]);
  await place({ carol: 'south' });
  expect(await nodeOf('carol')).toBe('south-1');
  await publisher.toUser('carol', 'n', 'after');
  await expect.poll(() => carol.events.at(-1)).toBe('after');
});

it('a user without a connection who comes to another cell is told nothing, having missed nothing', async () => {
  await place({ erin: { cell: 'south', was: 'north' } });
  const erin = await client('erin');
  await publisher.toUser('erin', 'n', 1);
  await expect.poll(() => erin.events).toEqual([1]);
  expect(erin.gaps()).toEqual([]);
});
