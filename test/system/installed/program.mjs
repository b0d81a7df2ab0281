// What a project with the packages installed does with them, as ESM. Prints one JSON object.
import { connect } from '@evenkeel/client';
import { createPublisher } from '@evenkeel/publisher';
import { createOperator } from 'evenkeel';

const [gateway, amqpUrl, user] = process.argv.slice(2);

const publisher = await createPublisher({ amqpUrl, name: 'installed-esm', attempts: 1 });
await publisher.serve('greet.esm', (message) => `Hello, ${message.user}`);
const client = connect({ gateway, user });
const event = new Promise((resolve) => client.on('order.created', resolve));
await client.ready();
await publisher.toUser(user, 'order.created', { number: 7 });
const { data } = await event;
const reply = await client.request('greet.esm');
const operator = await createOperator({ amqpUrl });
let { nodes } = await operator.status();
// A balancer that has just started hears of each edge within a second or so.
const endsAt = Date.now() + 10_000;
while (nodes.length < 2 && Date.now() < endsAt) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  ({ nodes } = await operator.status());
}
console.log(JSON.stringify({ number: data.number, reply, nodes: nodes.length }));
await Promise.all([client.close(), publisher.close(), operator.close()]);
