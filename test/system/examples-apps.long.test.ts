import { readFileSync } from 'node:fs';
import { connect } from '@evenkeel/client';
import { ensurePackages, type RunFile } from '@evenkeel/local';
import { createPublisher } from '@evenkeel/publisher';
import { eventually } from '@evenkeel/testkit';
import { createOperator } from 'evenkeel';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { freshVhost } from '../support/broker.js';
import { addressesOf, exampleNamespaces, folderOf, runExample } from '../support/example-programs.js';
import { startTestMesh } from '../support/mesh.js';
import { freePortFlags, startIn } from '../support/npm-start.js';

const withNamespaces = { EVENKEEL_NAMESPACES: exampleNamespaces };

beforeAll(async () => {
  const packages = ['python3-pika', 'php-cli', 'php-amqplib', 'amqp-tools', 'curl'];
  await ensurePackages(packages, 'for the examples');
});

/** What `npm start` with the namespaces of the examples has left behind. */
async function started() {
  const { amqpUrl } = await freshVhost();
  const flags = ['--edges', '1', '--no-demo', '--no-console', '--amqp-url', amqpUrl];
  const { folder, runFile, text } = startIn(withNamespaces, ...flags, ...(await freePortFlags()));
  await vi.waitFor(() => expect(text()).toContain('Evenkeel is up'), { timeout: 90_000, interval: 50 });
  const { gateway, appAmqpUrl, api } = JSON.parse(readFileSync(runFile, 'utf8')) as RunFile;
  return { folder, gateway, appAmqpUrl, api: api ?? { url: '', key: '' } };
}

test('beside npm start: prices begin with the past, orders are followed to the door, and what did not arrive is pushed', async () => {
  const { folder, gateway } = await started();
  const run = (file: string, ...args: string[]) =>
    runExample(file, args, folder, { EVENKEEL_GATEWAY: gateway });

  const ticking = run('ticker/service.mjs', '20');
  await eventually('prices', () => ticking.text().includes('publishing'), 20_000);
  const orders = run('orders/service.mjs', '20');
  const push = run('offline-push.mjs');
  await eventually('both run', () => /serving/.test(orders.text()) && /watching/.test(push.text()), 20_000);

  const ticker = run('ticker/client.mjs', 'tea');
  const prices = () => ticker.text('stdout').trim().split('\n');
  await eventually('prices, past and new', () => prices().length > 10, 20_000);
  expect(prices().map((line) => line.endsWith('(past)'))).toEqual(prices().map((_, n) => n < 3));
  const numbers = prices().map((line) => Number(line.split(' ')[1]));
  expect(numbers).toEqual(numbers.map((_, n) => (numbers[0] ?? 0) + 3 * n));

  const buyer = run('orders/client.mjs', 'compass', 'alice');
  expect(await buyer.ended).toBe(0);
  const told = buyer.text().trim().split('\n');
  // The answer comes by another way than the events: nothing says which is first.
  expect(told).toContain('order-1 taken');
  expect(told.filter((line) => !line.endsWith('taken'))).toEqual([
    'order-1 packed',
    'order-1 shipped',
    'order-1 delivered',
  ]);
  const late = run('orders/client.mjs', 'sextant', 'bob');
  expect(await late.ended).toBe(1);
  expect(late.text()).toBe('service: sold-out: there is no sextant left\n');

  const dora = connect({ gateway, user: 'dora', storage: false });
  const reached = new Promise((resolve) => dora.on('order.created', () => new Promise(() => resolve(true))));
  await dora.ready();
  expect(await run('publish.mjs', 'dora').ended).toBe(0);
  await reached;
  await dora.end();
  await eventually('the push', () => push.text().includes('push to dora: order.created'), 20_000);
  expect(push.text().match(/push to/g)).toHaveLength(1);
  expect(push.text()).toContain('{"number":1,"item":"compass"} (ended)');
});

test('one event arrives alike from pika, PHP, amqp-publish, curl and the SDK', async () => {
  const { folder, gateway, appAmqpUrl, api } = await started();
  const env = {
    EVENKEEL_APP_AMQP_URL: appAmqpUrl,
    EVENKEEL_API_URL: api.url,
    EVENKEEL_API_KEY: api.key,
  };
  const events: { id: string; at: number }[] = [];
  const client = connect({ gateway, user: 'alice', storage: false });
  onTestFinished(() => client.close());
  client.on('*', (event) => void events.push({ ...event }));
  await client.ready();

  const data = { number: 7, item: 'Kompaß', price: 41.5, tags: ['brass', null, true] };
  const startedAt = Date.now();
  const programs = ['publish.py', 'publish.php', 'publish-http.sh', 'publish-amqp.sh'];
  for (const [n, program] of programs.entries()) {
    const args = ['alice', 'order.created', JSON.stringify(data), `order-7-${n}`];
    const running = runExample(`publishers/${program}`, args, folder, env);
    expect([program, await running.ended, running.text('stderr')]).toEqual([program, 0, '']);
    await eventually(`the event of ${program}`, () => events.length === n + 1, 20_000);
  }
  const publisher = await createPublisher({ amqpUrl: appAmqpUrl, name: 'shop' });
  onTestFinished(() => publisher.close());
  await publisher.toUser('alice', 'order.created', data, { id: 'order-7-sdk' });
  await eventually('all', () => events.length === 5, 20_000);

  const ids = events.map(({ id }) => id);
  // amqp-publish sets no id: the edge makes one, which is marked as no identity.
  expect(ids).toEqual(['order-7-0', 'order-7-1', 'order-7-2', expect.stringMatching(/^~/), 'order-7-sdk']);
  const shown = events.map(({ id: _, at, ...event }) => ({
    ...event,
    isNow: Math.abs(at - startedAt) < 60_000,
  }));
  expect(shown).toEqual(shown.map(() => ({ name: 'order.created', data, isNow: true })));
});

test('an answer that streams is whole while its edge is drained and the next one killed: no word is missing, none comes twice', async () => {
  const mesh = await startTestMesh({ edges: 3, env: withNamespaces });
  const folder = folderOf(addressesOf(mesh));
  const service = runExample('assistant/service.mjs', ['200'], folder);
  await eventually('it serves', () => service.text().includes('serving'), 20_000);
  const quiet = runExample('assistant/ask.mjs', ['Why?', 'bob'], folder);
  const asked = runExample('assistant/ask.mjs', ['Why?', 'alice'], folder);
  const wordCount = () => asked.text('stdout').split(' ').length;
  const nodes = () =>
    [...asked.text('stderr').matchAll(/\[(connected|moved) (\S+)\]/g)].map(([, how, node]) => ({
      how,
      node,
    }));

  await eventually('some words', () => wordCount() > 5, 20_000);
  const operator = await createOperator({ amqpUrl: mesh.urlFor('operator') });
  onTestFinished(() => operator.close());
  const first = nodes().at(-1)?.node ?? '';
  await operator.drain({ nodes: [first] });
  await eventually('moved', () => nodes().at(-1)?.how === 'moved', 20_000);
  const moved = wordCount();
  await eventually('words go on', () => wordCount() > moved + 5, 20_000);
  const second = nodes().at(-1)?.node;
  expect(second).not.toBe(first);
  await mesh.edges.find(({ node }) => node === second)?.kill();
  await eventually('connected again', () => nodes().at(-1)?.how === 'connected', 20_000);
  const back = wordCount();

  expect([await asked.ended, await quiet.ended]).toEqual([0, 0]);
  expect(back).toBeLessThan(wordCount());
  expect(asked.text('stdout')).toBe(quiet.text('stdout'));
  expect(asked.text('stdout')).toMatch(/read each of them once\. \n\d+ words\n$/);
  expect(service.text().match(/alice asks/g)).toHaveLength(1);
});
