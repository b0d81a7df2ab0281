// Publishes events to one user: node examples/publish.mjs alice 5
// A second argument is how many; a third the broker's address, else what `export $(npx evenkeel env)` has set.
import { createPublisher } from '@evenkeel/publisher';

const [user = 'alice', count = '1', amqpUrl = process.env.EVENKEEL_APP_AMQP_URL] = process.argv.slice(2);

const publisher = await createPublisher({ amqpUrl, name: 'shop', attempts: 1 });
for (let number = 1; number <= Number(count); number++) {
  // Resolves when RabbitMQ has confirmed: from then on the event is safe.
  const { id, routed } = await publisher.toUser(user, 'order.created', { number, item: 'compass' });
  console.log(routed ? `published ${id}` : `${user} has no session: ${id} reached nobody`);
}
await publisher.close();
