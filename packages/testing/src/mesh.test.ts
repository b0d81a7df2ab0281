import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { connect as connectForReal } from '@evenkeel/client';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createTestMesh, type TestMesh, type TestMeshOptions } from './index.js';

const run = promisify(execFile);

function open(options?: TestMeshOptions): TestMesh {
  const mesh = createTestMesh(options);
  onTestFinished(() => mesh.close());
  return mesh;
}
const gateway = 'https://mesh.example';
const named = (name: string) => ({ name, amqpUrl: 'amqp://not-looked-at' });

it("the README's example is a test that passes", async () => {
  const folder = new URL('..', import.meta.url);
  const readme = await readFile(new URL('README.md', folder), 'utf8');
  const [, example = ''] = /```js\n([^`]*createTestMesh\(\)[^`]*)```/.exec(readme) ?? [];
  const ran = run(process.execPath, ['--input-type=module', '--eval', example], { cwd: folder });
  const { stdout } = await ran;
  expect(stdout).toMatch(/pass 1\b/);
  expect(stdout).toMatch(/fail 0\b/);
});

it('has patterns of topics, and receipts of events, and no histories', async () => {
  const mesh = open();
  const shop = await mesh.createPublisher(named('shop'));
  const client = mesh.connect({ gateway, user: 'alice' });
  const got: unknown[] = [];
  client.on('n', () => {});
  await client.subscribe('prices.*', ({ topic, data }) => void got.push(`${topic} ${data}`));
  await client.subscribe('prices.tea', ({ data }) => void got.push(data));
  await shop.toTopic('prices.tea', 1);
  await shop.toTopic('prices.rum', 2);
  const receipts: unknown[] = [];
  const { id } = await shop.toUser('alice', 'n', 1, { onReceipt: (receipt) => receipts.push(receipt) });
  await vi.waitFor(() => expect(receipts).toMatchObject([{ id, user: 'alice', session: client.session }]));
  await mesh.settled();
  expect(got).toEqual(['prices.tea 1', 1, 'prices.rum 2']);
  await expect(client.topic('prices.tea').history()).rejects.toMatchObject({ code: 'no-history' });
});

it('an event for several users reaches each of them once, alone and in a batch', async () => {
  const mesh = open();
  const shop = await mesh.createPublisher(named('shop'));
  const got: unknown[] = [];
  for (const user of ['alice', 'bob', 'cid'])
    mesh.connect({ gateway, user, storage: false }).on('n', ({ data }) => void got.push([user, data]));
  await mesh.settled();
  await shop.event({ event: 'n', users: ['alice', 'bob'], payload: 1 });
  await shop.batch([{ event: 'n', users: ['bob', 'cid', 'bob'], payload: 2 }]);
  await mesh.settled();
  expect(got).toHaveLength(4);
  expect(got).toEqual(
    expect.arrayContaining([
      ['alice', 1],
      ['bob', 1],
      ['bob', 2],
      ['cid', 2],
    ]),
  );
});

it('an event for who is online reaches a client that is there or moves, and does not wait for one that is away', async () => {
  const mesh = open();
  const shop = await mesh.createPublisher(named('shop'));
  const client = mesh.connect({ gateway, user: 'alice' });
  const seen: unknown[] = [];
  client.onStatus(({ type }) => type === 'gap' && seen.push(type));
  client.on('n', ({ data }) => void seen.push(data));
  await mesh.settled();
  const send = (n: number, onlyOnline = true) => shop.toUser('alice', 'n', n, { onlyOnline });
  await send(1);
  mesh.move(client);
  await send(2);
  await mesh.settled();
  mesh.disconnect(client);
  await send(3);
  await send(4, false);
  mesh.restore(client);
  await mesh.settled();
  await send(5);
  await mesh.settled();
  expect(seen).toEqual([1, 2, 4, 5]);
});

describe('settled', () => {
  it('waits for handlers, and for what they set off', async () => {
    const mesh = open();
    const shop = await mesh.createPublisher(named('shop'));
    const client = mesh.connect({ gateway, user: 'alice' });
    const log: unknown[] = [];
    await shop.serve('shop.price', async ({ data }) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return Number(data) * 2;
    });
    client.on('asked', async ({ data }) => log.push(await client.request('shop.price', data)));
    await mesh.settled();
    await shop.toUser('alice', 'asked', 1);
    await shop.toUser('alice', 'asked', 2);
    await mesh.settled();
    expect(log).toEqual([2, 4]);
  });

  it('does not wait for a client whose network is away', async () => {
    const mesh = open();
    const shop = await mesh.createPublisher(named('shop'));
    const client = mesh.connect({ gateway, user: 'alice' });
    await mesh.settled();
    mesh.disconnect(client);
    await shop.toUser('alice', 'n', 1);
    await mesh.settled();
    expect(client.state).toBe('connecting');
  });

  it('says what it waits for in vain', async () => {
    const mesh = open();
    const shop = await mesh.createPublisher(named('shop'));
    let settle = (): void => {};
    mesh.connect({ gateway, user: 'alice' }).on('n', () => new Promise<void>((done) => (settle = done)));
    await mesh.settled();
    await shop.toUser('alice', 'n', 1);
    await expect(mesh.settled({ timeoutMs: 20 })).rejects.toThrow(
      /not settled within 20 ms: 1 of the queue session\.alice\.session-\d+ are not handled yet/,
    );
    settle();
    await mesh.settled();
  });
});

describe("a test framework's fake timers", () => {
  afterEach(() => void vi.useRealTimers());

  it.each([
    ['without microtasks, as in Vitest', undefined],
    [
      'with microtasks, as in Jest',
      [
        'setTimeout',
        'setInterval',
        'clearTimeout',
        'clearInterval',
        'queueMicrotask',
        'Date',
        'performance',
      ] as const,
    ],
  ])('%s: a session ends after five minutes without a connection', async (_how, toFake) => {
    vi.useFakeTimers(toFake && { toFake: [...toFake] });
    const mesh = open({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });
    const creating = mesh.createPublisher(named('shop'));
    await vi.advanceTimersByTimeAsync(1);
    const shop = await creating;
    const client = mesh.connect({ gateway, user: 'alice' });
    const seen: unknown[] = [];
    client.onStatus((status) => status.type === 'gap' && seen.push(status.reason));
    client.on('n', ({ data }) => seen.push(data));
    await mesh.settled();
    mesh.disconnect(client);
    await mesh.settled();
    await shop.toUser('alice', 'n', 1);
    await vi.advanceTimersByTimeAsync(299_000);
    mesh.restore(client);
    await mesh.settled();
    expect(seen).toEqual([1]);
    mesh.disconnect(client);
    await mesh.settled();
    await vi.advanceTimersByTimeAsync(301_000);
    expect(await shop.toUser('alice', 'n', 2)).toMatchObject({ routed: false });
    mesh.restore(client);
    await mesh.settled();
    expect(seen).toEqual([1, 'session-expired']);
  });

  it('that jump by an hour at once cost no connection', async () => {
    vi.useFakeTimers();
    const mesh = open({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });
    const client = mesh.connect({ gateway, user: 'alice' });
    const types: string[] = [];
    client.onStatus(({ type }) => types.push(type));
    await mesh.settled();
    vi.advanceTimersByTime(3_600_000);
    await mesh.settled();
    expect(types).toEqual(['connecting', 'connected']);
  });
});

describe('who a client is', () => {
  const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;

  it.each([
    ['its user', { user: 'alice' }],
    ['the claim sub of its token', { getToken: () => jwt({ sub: 'alice' }) }],
    ['its token, where that is no JWT', { token: 'alice' }],
  ])('is %s', async (_what, options) => {
    const mesh = open();
    const shop = await mesh.createPublisher(named('shop'));
    const client = mesh.connect({ gateway, ...options });
    await client.ready();
    expect((await shop.toUser('alice', 'n', 1)).routed).toBe(true);
  });

  it('is what userOf says; nobody is refused for good', async () => {
    const mesh = open({ userOf: ({ token }) => (token === 'good' ? 'alice' : undefined) });
    await mesh.connect({ gateway, token: 'good' }).ready();
    await expect(mesh.connect({ gateway, token: 'bad' }).ready()).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });
});

describe('what cannot be done says so', () => {
  it.each([
    ['move', 'has no connection to move'],
    ['expire', 'call mesh.disconnect(client) first'],
  ] as const)('%s', async (what, message) => {
    const mesh = open();
    const client = mesh.connect({ gateway, user: 'alice' });
    await mesh.settled();
    if (what === 'move') mesh.disconnect(client);
    expect(() => mesh[what](client)).toThrow(message);
  });

  it('to a client of another mesh', async () => {
    const mesh = open();
    const client = connectForReal({ gateway: 'http://127.0.0.1:1', user: 'alice' });
    onTestFinished(() => client.close());
    expect(() => mesh.disconnect(client)).toThrow('not of this mesh');
  });

  it('to an edge that does not exist', async () => {
    const mesh = open({ nodes: ['a', 'b', 'c'] });
    const client = mesh.connect({ gateway, user: 'alice' });
    await mesh.settled();
    expect(() => mesh.move(client, 'd')).toThrow('there is no edge d to move to');
    const target = client.node === 'c' ? 'a' : 'c';
    mesh.move(client, target);
    await mesh.settled();
    expect(client.node).toBe(target);
  });
});

describe('permissions', () => {
  it('refuse what the test forbids, and nothing else', async () => {
    const mesh = open({ allow: ({ action, topic }) => action !== 'publish' && topic !== 'room.2' });
    const client = mesh.connect({ gateway, user: 'alice' });
    const heard: unknown[] = [];
    await client.subscribe('room.1', ({ data }) => heard.push(data));
    await expect(client.subscribe('room.2', () => {})).rejects.toMatchObject({ code: 'forbidden' });
    await expect(client.publish('room.1', 'ahoy')).rejects.toMatchObject({ code: 'forbidden' });
    const shop = await mesh.createPublisher(named('shop'));
    await shop.toTopic('room.1', 'ahoy');
    await mesh.settled();
    expect(heard).toEqual(['ahoy']);
  });

  it('are asked of the service that decides, and without one nobody may', async () => {
    const mesh = open({ allow: () => 'service' });
    const client = mesh.connect({ gateway, user: 'alice' });
    await expect(client.subscribe('room.1', () => {})).rejects.toMatchObject({ code: 'forbidden' });
    const service = await mesh.createPublisher(named('room'));
    const asked: unknown[] = [];
    await service.authorize('room.#', async ({ user, action, topic }) => {
      asked.push([user, action, topic]);
      return topic === 'room.1';
    });
    await client.subscribe('room.1', () => {});
    await expect(client.subscribe('room.2', () => {})).rejects.toMatchObject({ code: 'forbidden' });
    await mesh.settled();
    expect(asked).toEqual([
      ['alice', 'subscribe', 'room.1'],
      ['alice', 'subscribe', 'room.2'],
    ]);
  });

  it('that are taken away end a topic; one refused on coming back ends too', async () => {
    let isMember = true;
    const mesh = open({ allow: () => isMember });
    const client = mesh.connect({ gateway, user: 'alice' });
    const told: unknown[] = [];
    client.onStatus((status) => status.type === 'unsubscribed' && told.push([status.topic, status.reason]));
    await client.subscribe('room.1', () => {});
    await client.subscribe('room.2', () => {});
    mesh.revoke(client, 'room.1');
    await mesh.settled();
    isMember = false;
    mesh.disconnect(client);
    mesh.restore(client);
    await mesh.settled();
    expect(told).toEqual([
      ['room.1', 'revoked'],
      ['room.2', 'forbidden'],
    ]);
  });
});

it('a client lives on beyond its token, comes back when that has expired, and stops when it is denied', async () => {
  const mesh = open();
  let n = 0;
  const client = mesh.connect({
    gateway,
    getToken: () => {
      n += 1;
      return 'alice';
    },
  });
  const told: string[] = [];
  client.onStatus(({ type }) => told.push(type));
  await mesh.settled();
  mesh.expiring(client);
  await mesh.settled();
  expect(n).toBe(2);
  mesh.expireToken(client);
  await mesh.settled();
  expect(n).toBe(3);
  mesh.deny('alice');
  await mesh.settled();
  expect([client.state, told.at(-1)]).toEqual(['closed', 'closed']);
  const again = mesh.connect({ gateway, getToken: () => 'alice' });
  await expect(again.ready()).rejects.toMatchObject({ code: 'denied' });
});
