// Prints prices, the last three of each first: node examples/ticker/client.mjs tea rope
// Without arguments it prints all that there are. EVENKEEL_GATEWAY, or the mesh of `npm start`. Ctrl-C closes.
import { connect } from '@evenkeel/client';
import { addressOf } from '../address.mjs';

const items = process.argv.slice(2);
const client = connect({ gateway: addressOf('gateway'), user: 'alice' });

const print = ({ topic, data, past }) => {
  console.log(topic, data.n, data.price.toFixed(2), past ? '(past)' : '');
};

if (items.length === 0) {
  // A pattern: one subscription for every item that there is and will be.
  await client.subscribe('ticker.*', print);
}
for (const item of items) {
  const topic = client.topic(`ticker.${item}`, { last: 3 });
  topic.on('message', print);
  // After a loss the client asks for what it has missed; only what the history does not have any more is told as a gap.
  topic.on('gap', ({ reason }) => console.log(topic.topic, `some are missing: ${reason}`));
}
client.onStatus(({ type, node }) => {
  if (node) console.error(`[${type} ${node}]`);
});

process.once('SIGINT', () => client.end());
