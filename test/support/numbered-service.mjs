// A service that prints what it has handled, one JSON object a line: node numbered-service.mjs AMQP_URL. SIGTERM stops it.
import { createPublisher } from '@evenkeel/publisher';

const publisher = await createPublisher({ amqpUrl: process.argv[2], name: 'shop' });
await publisher.on('shop.numbers', async ({ session, data }) => {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 8));
  console.log(JSON.stringify({ session, n: data }));
});
console.log(JSON.stringify({ serving: true }));

process.once('SIGTERM', () => publisher.close());
