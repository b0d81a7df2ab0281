import { connect } from '@evenkeel/client';
import { eventually } from '@evenkeel/testkit';
import { expect, onTestFinished, test, vi } from 'vitest';
import { addressesOf, folderOf, runExample as run } from '../support/example-programs.js';
import { startTestMesh } from '../support/mesh.js';

async function meshFolder() {
  const mesh = await startTestMesh();
  const addresses = addressesOf(mesh);
  return { mesh, addresses, folder: folderOf(addresses) };
}

test('the examples find the mesh by .evenkeel/run.json, and do what they say', async () => {
  const { folder } = await meshFolder();
  const client = run('client.mjs', ['alice'], folder);
  await eventually('the client is connected', () => client.text().includes('connected'), 20_000);
  const publish = run('publish.mjs', ['alice', '2'], folder);
  expect(await publish.ended).toBe(0);
  expect(publish.text().match(/published /g)).toHaveLength(2);
  await eventually('both events', () => (client.text().match(/order\.created/g) ?? []).length === 2);
  // Its edges have only just come, and join for a while.
  const isActive = async () => {
    const operate = run('operate.mjs', [], folder);
    expect(await operate.ended).toBe(0);
    return operate.text().includes('active');
  };
  await vi.waitUntil(isActive, { timeout: 30_000, interval: 500 });
});

test('the examples find the mesh by the environment, and say what to do where there is none', async () => {
  const { mesh } = await meshFolder();
  const nowhere = folderOf({});
  const publish = run('publish.mjs', ['bob'], nowhere, { EVENKEEL_AMQP_URL: mesh.amqpUrl });
  expect(await publish.ended).toBe(0);
  const lost = run('publish.mjs', ['bob'], nowhere);
  expect(await lost.ended).toBe(1);
  expect(lost.text()).toMatch(/npm start/);
});

test('the chat of the examples keeps every room in order, for everybody the same, however long each message takes', async () => {
  const { mesh, folder } = await meshFolder();
  const service = run('service.mjs', [], folder);
  await eventually('it serves', () => service.text().includes('serving'), 20_000);
  const rooms = ['shop.chat.harbour', 'shop.chat.bridge'];
  const count = 25;
  const members = await Promise.all(
    ['alice', 'bob', 'cleo'].map(async (user) => {
      const client = connect({ gateway: mesh.gatewayUrl, user, storage: false });
      onTestFinished(() => client.close());
      await client.ready();
      const seen = new Map(rooms.map((room) => [room, [] as { user: string; text: number }[]]));
      for (const room of rooms) {
        await client.subscribe(
          room,
          ({ data }) => void seen.get(room)?.push(data as { user: string; text: number }),
        );
      }
      return { client, user, seen };
    }),
  );
  const [alice] = members;
  expect(await alice?.client.request('shop.greet', { language: 'fr' })).toEqual({ text: 'Bonjour, alice' });
  const said = members.flatMap(({ client }) =>
    Array.from({ length: count }, (_, n) => rooms.map((room) => client.publish(room, n))).flat(),
  );
  await Promise.all(said);
  for (const room of rooms) {
    const [first, ...others] = members.map(({ seen }) => seen.get(room) ?? []);
    await eventually(
      'everybody has seen all',
      () => [first, ...others].every((messages) => messages?.length === members.length * count),
      20_000,
    );
    for (const messages of others) expect(messages).toEqual(first);
    for (const { user } of members) {
      const texts = first?.flatMap((message) => (message.user === user ? [message.text] : []));
      expect(texts).toEqual(Array.from({ length: count }, (_, n) => n));
    }
  }
  service.child.kill('SIGINT');
  expect(await service.ended).toBe(0);
});
