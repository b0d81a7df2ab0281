// Events for the clients of a load test: node examples/load-testing/publish.mjs 100 5
// Users load-1 to load-100, five events a second to each. A third argument is the broker's address, else it is where the mesh of
// `npm start` is. Ctrl-C stops and prints how many were published.
import { createPublisher } from '@evenkeel/publisher';
import { addressOf } from '../address.mjs';

const [users = '100', perSecond = '1', given] = process.argv.slice(2);
const amqpUrl = addressOf('appAmqpUrl', given);

const publisher = await createPublisher({ amqpUrl, name: 'shop', attempts: 1 });
let published = 0;
let user = 0;
// In small steps rather than all users at once: a load test is not to make bursts that nobody asked for.
const stepMs = 20;
let due = 0;
const timer = setInterval(() => {
  due += (Number(users) * Number(perSecond) * stepMs) / 1_000;
  for (; due >= 1; due -= 1) {
    user = (user % Number(users)) + 1;
    published += 1;
    publisher.toUser(`load-${user}`, 'load.tick', { n: published, at: Date.now() }).catch(stop);
  }
}, stepMs);

process.once('SIGINT', () => stop());

async function stop(error) {
  clearInterval(timer);
  await publisher.close();
  console.log(`${published} published`);
  if (error) throw error;
}
