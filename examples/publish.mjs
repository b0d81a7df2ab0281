// Publishes events to one user: node examples/publish.mjs alice 5
// A second argument is how many; a third the broker's address.
import { createPublisher } from '@evenkeel/publisher';

const [user = 'alice', count = '1', amqpUrl = 'amqp://guest:guest@127.0.0.1:5672'] = process.argv.slice(2);

const publisher = await createPublisher({ amqpUrl, name: 'example', attempts: 1 });
for (let number = 1; number <= Number(count); number++) {
  // Resolves when RabbitMQ has confirmed: from then on the event is safe.
  const { id, routed } = await publisher.toUser(user, 'order.created', { number, item: 'compass' });
  console.log(routed ? `published ${id}` : `${user} has no session: ${id} reached nobody`);
}
await publisher.close();
