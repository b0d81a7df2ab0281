// Asks the assistant, and prints its answer as it comes: node examples/assistant/ask.mjs 'Why?' alice
// A third argument is the gateway's address, else it is where the mesh of `npm start` is.
import { connect } from '@evenkeel/client';
import { addressOf } from '../address.mjs';

const [question = 'Why do I not notice a deploy?', user = 'alice', given] = process.argv.slice(2);
const client = connect({ gateway: addressOf('gateway', given), user });
client.onStatus(({ type, node }) => {
  if (node) console.error(`[${type} ${node}]`);
});

const answer = client.stream('shop.ask', { question });
for (;;) {
  // What the service has returned at the end comes with `done`; `for await` leaves it out.
  const { done, value } = await answer.next();
  if (done) {
    console.log(`\n${value.words} words`);
    break;
  }
  process.stdout.write(`${value.word} `);
}
await client.end();
