// Publishes events to one user: node examples/publish.mjs alice 5
// A second argument is how many; a third the broker's address, else it is where the mesh of `npm start` is.
import { createPublisher } from '@evenkeel/publisher';
import { addressOf } from './address.mjs';

const [user = 'alice', count = '1', given] = process.argv.slice(2);
const amqpUrl = addressOf('appAmqpUrl', given);

const publisher = await createPublisher({ amqpUrl, name: 'shop', attempts: 1 });
for (let number = 1; number <= Number(count); number++) {
  // Resolves when RabbitMQ has confirmed: from then on the event is safe.
  const { id, routed } = await publisher.toUser(user, 'order.created', { number, item: 'compass' });
  console.log(routed ? `published ${id}` : `${user} has no session: ${id} reached nobody`);
}
await publisher.close();
