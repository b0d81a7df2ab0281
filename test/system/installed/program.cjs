// The same as program.mjs, as CommonJS.
const { connect } = require('@evenkeel/client');
const { createPublisher } = require('@evenkeel/publisher');
const { createOperator } = require('evenkeel');

const [gateway, amqpUrl, user] = process.argv.slice(2);

async function main() {
  const publisher = await createPublisher({ amqpUrl, name: 'installed-cjs', attempts: 1 });
  await publisher.serve('greet.cjs', (message) => `Hello, ${message.user}`);
  const client = connect({ gateway, user });
  const event = new Promise((resolve) => client.on('order.created', resolve));
  await client.ready();
  await publisher.toUser(user, 'order.created', { number: 7 });
  const { data } = await event;
  const reply = await client.request('greet.cjs');
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
}

void main();
