import { createTestMesh } from '@evenkeel/testing';
import { expect, it, onTestFinished, vi } from 'vitest';
import { mount } from '../testing/mount.js';
import { createHooks } from './index.js';

const { useConnectionState } = createHooks();

it.each([
  ['without a component', false],
  ['with one that shows the state, which is no listener of the application', true],
])('%s what goes wrong is printed, until somebody listens', async (_what, isShown) => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => printed.mockRestore());
  const mesh = createTestMesh();
  onTestFinished(() => mesh.close());
  const client = mesh.connect({ user: 'alice' });
  if (isShown) {
    const { render, seen } = mount(useConnectionState);
    await render(undefined, client);
    await vi.waitFor(() => expect(seen()).toBe('connected'));
  }
  const shop = await mesh.createPublisher({ name: 'shop' });
  const fail = async (name: string): Promise<void> => {
    client.on(name, () => {
      throw new Error(name);
    });
    await shop.toUser('alice', name, 7);
    await mesh.settled();
  };
  const stop = client.onStatus(() => {});
  await fail('heard');
  expect(printed).not.toHaveBeenCalled();
  stop();
  await fail('unheard');
  expect(printed.mock.calls).toEqual([
    ['evenkeel: handler-error (see onStatus)', expect.objectContaining({ name: 'unheard' })],
  ]);
});
