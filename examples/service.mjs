// Answers clients' requests for `greet` and reads what they publish to `chat.…`: node examples/service.mjs
// An argument is the broker's address. Ctrl-C stops.
import { createPublisher } from '@evenkeel/publisher';

const [amqpUrl = 'amqp://guest:guest@127.0.0.1:5672'] = process.argv.slice(2);

const publisher = await createPublisher({ amqpUrl, name: 'greeter', attempts: 1 });

// client.request('greet', { language: 'fr' }) resolves with what this returns.
await publisher.serve('greet', ({ user, data }) => ({
  text: data?.language === 'fr' ? `Bonjour, ${user}` : `Hello, ${user}`,
}));

// client.publish('chat.harbour', 'ahoy') comes here; everyone who has subscribed the topic gets it.
await publisher.on('chat.*', ({ method, user, data }) => publisher.toTopic(method, { user, text: data }));

process.once('SIGINT', () => publisher.close());
