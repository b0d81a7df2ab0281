// Takes orders and tells their buyers what becomes of them: node examples/orders/service.mjs
// Arguments: ms between two steps (1000), and the broker's address, else it is where the mesh of `npm start` is. Ctrl-C stops.
import { setTimeout as sleep } from 'node:timers/promises';
import { createPublisher, ServiceError } from '@evenkeel/publisher';
import { addressOf } from '../address.mjs';

const [stepMs = '1000', given] = process.argv.slice(2);
const publisher = await createPublisher({
  amqpUrl: addressOf('appAmqpUrl', given),
  name: 'shop',
  attempts: 1,
});

const stock = new Map([
  ['compass', 100],
  ['sextant', 0],
]);
const steps = ['packed', 'shipped', 'delivered'];
let orders = 0;

await publisher.serve('shop.order', ({ user, data }) => {
  const left = stock.get(data?.item) ?? 0;
  // The client gets code and message of a ServiceError; of any other error it learns nothing.
  if (left < 1) throw new ServiceError('sold-out', `there is no ${data?.item} left`);
  stock.set(data.item, left - 1);
  orders += 1;
  const order = `order-${orders}`;
  carryOut(order, user).catch(console.error);
  return { order };
});

/** Events wait for a buyer who is away: five minutes, unless the mesh is set otherwise. */
async function carryOut(order, user) {
  for (const step of steps) {
    await sleep(Number(stepMs));
    // An id of one's own: published twice, after a crash of this service, it reaches the buyer once.
    await publisher.toUser(user, `order.${step}`, { order }, { id: `${order}-${step}` });
  }
}
console.log('serving shop.order');

process.once('SIGINT', () => publisher.close());
