/** A thread that fuzzes one target, so that another can end it. */
import { parentPort, workerData } from 'node:worker_threads';
import { corpusOf } from './corpus.js';
import { Coverage } from './coverage.js';
import { fuzz, warmUp } from './fuzz.js';
import type { Order } from './order.js';
import { teller } from './watch.js';

const { target: name, seed, ms, inputs, shared } = workerData as Order;
const corpus = corpusOf(name);
await warmUp(corpus);
const coverage = new Coverage(
  (url) => /\/(?:libs|services|packages)\//.test(url) && !/node_modules/.test(url),
);
const { targetNamed } = await import('./targets.js');
const endsAtMs = performance.now() + ms;
const found = await fuzz({
  target: targetNamed(name),
  seed,
  corpus,
  isOver: (made) => made >= inputs || performance.now() >= endsAtMs,
  coverage,
  onInput: teller(shared),
});
parentPort?.postMessage(found);
