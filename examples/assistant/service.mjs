// An assistant that answers word by word: node examples/assistant/service.mjs
// The model is canned. Arguments: ms between words (120), and the broker's address, else it is where the mesh of `npm start` is.
import { setTimeout as sleep } from 'node:timers/promises';
import { createPublisher } from '@evenkeel/publisher';
import { addressOf } from '../address.mjs';

const [wordMs = '120', given] = process.argv.slice(2);
const publisher = await createPublisher({
  amqpUrl: addressOf('appAmqpUrl', given),
  name: 'shop',
  attempts: 1,
});

/** Stands for a model: makes the words of its answer one by one. */
async function* model(question, signal) {
  const answer = `You asked: ${question} Here is what the harbour master says. A ship that shifts its cargo while it sails
    stays on an even keel if every box is lashed before the next one is let go. So it is with sockets: the new one is open before the
    old one closes, and what is under way waits in a queue that belongs to neither. That is why these words go on while the edge that
    you were connected to is being replaced, and why you read each of them once.`;
  for (const word of answer.split(/\s+/)) {
    await sleep(Number(wordMs), undefined, { signal });
    yield word;
  }
}

// Each part says which it is: a page that was reloaded knows what it has kept already.
await publisher.serve('shop.ask', async function* ({ user, data, signal }) {
  console.log(`${user} asks: ${data.question}`);
  let n = 0;
  for await (const word of model(data.question, signal)) yield { n: n++, word };
  return { words: n };
});
console.log('serving shop.ask');

process.once('SIGINT', () => publisher.close());
