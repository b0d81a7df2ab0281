// Answers clients' requests for `shop.greet` and reads what they publish to `shop.chat.…`: node examples/service.mjs
// An argument is the broker's address, else what `export $(npx evenkeel env)` has set. Ctrl-C stops.
import { createPublisher } from '@evenkeel/publisher';

const [amqpUrl = process.env.EVENKEEL_APP_AMQP_URL] = process.argv.slice(2);

const publisher = await createPublisher({ amqpUrl, name: 'shop', attempts: 1 });

// client.request('shop.greet', { language: 'fr' }) resolves with what this returns.
await publisher.serve('shop.greet', ({ user, data }) => ({
  text: data?.language === 'fr' ? `Bonjour, ${user}` : `Hello, ${user}`,
}));

// client.publish('shop.chat.harbour', 'ahoy') comes here; everyone who has subscribed the topic gets it.
await publisher.on('shop.chat.*', ({ method, user, data }) =>
  publisher.toTopic(method, { user, text: data }),
);

process.once('SIGINT', () => publisher.close());
