import { ClientError, connect } from '@evenkeel/client';
import { createPublisher } from '@evenkeel/publisher';
import { afterAll, expect, it, onTestFinished, vi } from 'vitest';
import { createTestMesh } from './index.js';

vi.mock('@evenkeel/client', async (original) => ({ ...(await original<object>()), connect: vi.fn() }));
vi.mock('@evenkeel/publisher', async (original) => ({
  ...(await original<object>()),
  createPublisher: vi.fn(),
}));

// The tests that come after it in this process have the real ones.
afterAll(() => {
  vi.doUnmock('@evenkeel/client');
  vi.doUnmock('@evenkeel/publisher');
  vi.resetModules();
});

it('an application that imports connect and createPublisher itself runs on the double where these are mocked', async () => {
  const mesh = createTestMesh();
  onTestFinished(() => mesh.close());
  vi.mocked(connect).mockImplementation(mesh.connect);
  vi.mocked(createPublisher).mockImplementation(mesh.createPublisher);

  const service = await createPublisher({ amqpUrl: 'amqp://not-looked-at', name: 'shop' });
  await service.serve('shop.greet', ({ user }) => `Hello, ${user}`);
  const client = connect({ gateway: 'https://mesh.example', user: 'alice' });
  expect(await client.request('shop.greet')).toBe('Hello, alice');
  await expect(client.request('nobody')).rejects.toBeInstanceOf(ClientError);
});
