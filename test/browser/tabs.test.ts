import { fileURLToPath } from 'node:url';
import { createPublisher } from '@evenkeel/publisher';
import type { Page } from 'playwright-core';
import { expect, it, onTestFinished, vi } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { startTestMesh } from '../support/mesh.js';
import { servePages } from '../support/page-server.js';

const newWindow = useBrowser();
const waiting = { timeout: 20_000, interval: 50 };

interface Seen {
  readonly events: readonly number[];
  readonly messages: readonly string[];
  readonly statuses: readonly string[];
  readonly state: string;
}

it('tabs share one connection and one session, each with what it listens to; what a tab had open ends with it', async () => {
  const full = fileURLToPath(import.meta.resolve('@evenkeel/client/browser/full'));
  const [mesh, origin] = await Promise.all([
    startTestMesh({ edges: 1 }),
    servePages({ '/evenkeel.full.js': full }),
  ]);
  const publisher = await createPublisher({ amqpUrl: mesh.amqpUrl, name: 'tabs' });
  onTestFinished(() => publisher.close());
  const user = 'alice';
  const window = await newWindow();
  const address = `${origin}/tabs.html?${new URLSearchParams({ gateway: mesh.gatewayUrl, user })}`;
  const open = async (hash = '', of = window): Promise<Page> => {
    const page = await of.newPage();
    await page.goto(`${address}${hash}`);
    await vi.waitFor(async () => expect(await seen(page)).toMatchObject({ state: 'connected' }), waiting);
    return page;
  };
  const seen = (page: Page) => page.evaluate<Seen>('seen()');
  const until = (page: Page, expected: Partial<Seen>) =>
    vi.waitFor(async () => expect(await seen(page)).toMatchObject(expected), waiting);
  const sessions = async () => (await publisher.online(user)).sessions.map(({ session }) => session);

  const [one, two] = [await open('#hangs'), await open()];
  const [session, ...others] = await sessions();
  expect([session, others]).toEqual([expect.any(String), []]);
  await Promise.all([one.evaluate("subscribe('numbers.a')"), two.evaluate("subscribe('numbers.b')")]);
  await publisher.toUser(user, 'number', 1);
  await publisher.toTopic('numbers.a', 'a');
  await publisher.toTopic('numbers.b', 'b');
  await until(one, { events: [1], messages: ['a'] });
  await until(two, { events: [1], messages: ['b'] });
  await publisher.serve('tabs.double', ({ data }) => 2 * (data as number));
  expect(await two.evaluate("request('tabs.double', 21)")).toBe(42);
  expect(await two.evaluate("request('nobody.serves')")).toEqual({ code: 'no-service', source: 'mesh' });

  // One tab does not handle an event: it is acknowledged when that tab is gone, and only then.
  const acknowledged: string[] = [];
  await publisher.toUser(user, 'hang', 0, { onReceipt: ({ id }) => acknowledged.push(id) });
  await publisher.toUser(user, 'number', 2);
  expect([acknowledged, (await seen(two)).events]).toEqual([[], [1]]);
  await one.close();
  await until(two, { events: [1, 2] });
  await vi.waitFor(() => expect(acknowledged).toHaveLength(1), waiting);

  // The last tab goes, and another comes: the same session goes on, with what came meanwhile.
  await two.close();
  await vi.waitFor(async () => expect(await sessions()).toEqual([]), waiting);
  await publisher.toUser(user, 'number', 3);
  const three = await open();
  await until(three, { events: [3] });
  expect(await sessions()).toEqual([session]);

  // A browser without shared workers: a connection of its own.
  const plain = await newWindow();
  await plain.addInitScript('delete globalThis.SharedWorker');
  const four = await open('', plain);
  await publisher.toUser(user, 'number', 4);
  await until(four, { events: [4] });
  await until(three, { events: [3, 4] });
  expect(await sessions()).toHaveLength(2);
  expect((await seen(three)).statuses).not.toContain('gap');
});
