// Answers clients' requests for `shop.greet` and reads what they publish to `shop.chat.…`: node examples/service.mjs
// An argument is the broker's address, else where the mesh of `npm start` is. Ctrl-C stops.
import { createPublisher } from '@evenkeel/publisher';
import { addressOf } from './address.mjs';

const amqpUrl = addressOf('appAmqpUrl', process.argv[2]);

const publisher = await createPublisher({ amqpUrl, name: 'shop', attempts: 1 });

// client.request('shop.greet', { language: 'fr' }) resolves with what this returns.
await publisher.serve('shop.greet', ({ user, data }) => ({
  text: data?.language === 'fr' ? `Bonjour, ${user}` : `Hello, ${user}`,
}));

// client.publish('shop.chat.harbour', 'ahoy') comes here; everyone who has subscribed the topic gets it. With the order `key` each
// room is in order, whoever wrote, however long it takes to keep a message; rooms go on side by side.
await publisher.on(
  'shop.chat.*',
  async ({ method, user, data }) => {
    await kept();
    await publisher.toTopic(method, { user, text: data });
  },
  { order: 'key' },
);

/** Stands for a database that takes now longer, now shorter. */
function kept() {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
}

console.log('serving shop.greet and shop.chat.*');

process.once('SIGINT', () => publisher.close());
