// Publishes prices: node examples/ticker/service.mjs
// Arguments: ms between prices (500), and the broker's address, else it is where the mesh of `npm start` is. Ctrl-C stops.
import { createPublisher } from '@evenkeel/publisher';
import { addressOf } from '../address.mjs';

const [everyMs = '500', given] = process.argv.slice(2);
const publisher = await createPublisher({
  amqpUrl: addressOf('appAmqpUrl', given),
  name: 'shop',
  attempts: 1,
});

const prices = new Map([
  ['tea', 41.5],
  ['rope', 12.2],
  ['oars', 88],
]);
let n = 0;
const ticking = setInterval(() => {
  const item = [...prices.keys()][n % prices.size];
  const price = Math.max(1, prices.get(item) + Math.random() - 0.5);
  prices.set(item, price);
  // The topic keeps its history (namespaces.json): who subscribes later begins with the newest prices, and nobody misses one.
  publisher.toTopic(`ticker.${item}`, { n, price: Number(price.toFixed(2)) }).catch(console.error);
  n += 1;
}, Number(everyMs));
console.log('publishing ticker.*');

process.once('SIGINT', () => {
  clearInterval(ticking);
  publisher.close();
});
