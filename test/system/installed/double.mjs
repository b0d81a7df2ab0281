// The double, as an application's test uses it: no mesh and no broker.
import { ClientError } from '@evenkeel/client';
import { createTestMesh } from '@evenkeel/testing';

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
