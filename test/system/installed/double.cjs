// The same as double.mjs, as CommonJS.
const { ClientError } = require('@evenkeel/client');
const { createTestMesh } = require('@evenkeel/testing');

async function main() {
  const mesh = createTestMesh();
  const shop = await mesh.createPublisher({ name: 'shop' });
  const client = mesh.connect({ gateway: 'https://mesh.example', user: 'alice' });
  const event = new Promise((resolve) => client.on('order.created', resolve));
  await mesh.settled();
  await shop.toUser('alice', 'order.created', { number: 7 });
  const { data } = await event;
  const error = await client.request('nobody').catch((reason) => reason);
  console.log(JSON.stringify({ number: data.number, isClientError: error instanceof ClientError }));
  await mesh.close();
}

void main();
