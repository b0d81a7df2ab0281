/** A thread that fuzzes one target, so that another can end it. Coverage is started before anything of the mesh is loaded. */
import { parentPort, workerData } from 'node:worker_threads';
import { Coverage } from './coverage.js';
import type { Order } from './order.js';

const { target: name, seed, ms, inputs, shared } = workerData as Order;
const coverage = new Coverage((url) => /\/(?:libs|services|packages)\//.test(url) && !/node_modules/.test(url));
const [{ fuzz }, { targetNamed }, { corpusOf }, { teller }] = await Promise.all([
  import('./fuzz.js'),
  import('./targets.js'),
  import('./corpus.js'),
  import('./watch.js'),
]);
const endsAtMs = performance.now() + ms;
const found = await fuzz({
  target: targetNamed(name),
  seed,
  corpus: corpusOf(name),
  isOver: (made) => made >= inputs || performance.now() >= endsAtMs,
  coverage,
  onInput: teller(shared),
});
parentPort?.postMessage(found);
