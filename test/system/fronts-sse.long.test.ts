import { connect } from '@evenkeel/client';
import { Front, gatewayPlace, placesOf } from '@evenkeel/local';
import { createPublisher } from '@evenkeel/publisher';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startTestMesh } from '../support/mesh.js';

// Long: 30 s are what these files give a connection on which nothing comes.
test.each(['nginx-path', 'haproxy-path'] as const)(
  'behind %s a stream on which no event comes for 40 s holds, by the comments of its edge',
  async (name) => {
    const front = await Front.prepare(name);
    onTestFinished(() => front.stop());
    const mesh = await startTestMesh({ edges: 1, publicUrl: front.publicUrl });
    await front.load(placesOf(mesh.edges), [gatewayPlace(mesh)]);
    const gateway = `http://${front.address}`;
    const client = connect({ gateway, user: 'anna', storage: false, transports: ['sse'] });
    onTestFinished(() => client.close());
    const events: unknown[] = [];
    const statuses: string[] = [];
    client.on('counted', ({ data }) => void events.push(data));
    await client.ready();
    client.onStatus(({ type }) => void statuses.push(type));
    await new Promise((resolve) => setTimeout(resolve, 40_000));
    const publisher = await createPublisher({ name: 'shop', amqpUrl: mesh.urlFor('app-shop') });
    onTestFinished(() => publisher.close());
    await publisher.toUser('anna', 'counted', 1);
    await vi.waitFor(() => expect(events).toEqual([1]), { timeout: 10_000 });
    expect(statuses).not.toContain('disconnected');
  },
);
