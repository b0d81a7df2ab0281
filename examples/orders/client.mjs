// Orders something and follows the order to the door: node examples/orders/client.mjs compass alice
// A third argument is the gateway's address, else it is where the mesh of `npm start` is.
import { connect } from '@evenkeel/client';
import { addressOf } from '../address.mjs';

const [item = 'compass', user = 'alice', given] = process.argv.slice(2);
const client = connect({ gateway: addressOf('gateway', given), user });

const delivered = new Promise((resolve) => {
  for (const step of ['packed', 'shipped', 'delivered']) {
    client.on(`order.${step}`, ({ data }) => {
      console.log(`${data.order} ${step}`);
      if (step === 'delivered') resolve();
    });
  }
});
// Events for this user that nothing here handles, of an earlier run perhaps, would hold up those behind them.
client.on('*', () => {});

try {
  const { order } = await client.request('shop.order', { item });
  console.log(`${order} taken`);
  await delivered;
} catch (error) {
  // `source` says who refuses: `service`, `mesh` or `client`.
  console.error(`${error.source}: ${error.code}: ${error.message}`);
  process.exitCode = 1;
}
await client.end();
