import { createPublisher } from '@evenkeel/publisher';
import type { RunningPublisher } from './publishers.js';

/**
 * Answers what clients ask, by the project's own SDK: `shop.echo` with what it was sent, `shop.count` with so many parts as `to` says,
 * `{n}` each.
 */
export async function startService(amqpUrl: string): Promise<RunningPublisher> {
  const sdk = await createPublisher({ amqpUrl, name: 'shop' });
  await sdk.serve('shop.echo', ({ data }) => data);
  await sdk.serve('shop.count', async function* ({ data }) {
    const { to } = data as { to: number };
    for (let n = 0; n < to; n++) yield { n };
  });
  return { tell: () => undefined, stop: () => sdk.close() };
}
