// The demo's page: what a session sees of the mesh. The SDK is all that it needs.
import { connect } from '/evenkeel.js';
import { showMesh } from '/mesh.js';

/** Rows and prices kept; older ones go. */
const maxRows = 200;
const maxPrices = 120;
/** The demo sends orders to whoever has said hello within the last minute. */
const helloEveryMs = 20_000;

const element = (id) => document.getElementById(id);
const show = (id, value) => {
  element(id).textContent = String(value);
};

const user = new URLSearchParams(location.search).get('user') || `guest-${randomName()}`;
show('user', user);

const counts = { events: 0, prices: 0, gaps: 0, moves: 0 };
const prices = [];
let expected;
let faults = 0;

const client = connect({ gateway: location.origin, user });

showMesh(() => ({ node: client.node, isConnected: client.state === 'connected' }));

client.on('*', (event) => {
  counts.events += 1;
  show('event-count', counts.events);
  const { run, number, item, total } = event.data ?? {};
  if (typeof number === 'number') checkOrder(run, number);
  const words = `${event.name}: ${item === undefined ? JSON.stringify(event.data) : `${item}, ${total} €`}`;
  addRow(typeof number === 'number' ? `#${number}` : '', words, client.node ?? '');
});

client.onStatus((status) => {
  switch (status.type) {
    case 'connected':
      setStatus('connected');
      show('session', status.session);
      showNode(status.node);
      void hello();
      break;
    case 'moving':
      setStatus('moving');
      break;
    case 'moved':
      counts.moves += 1;
      show('moves', counts.moves);
      setStatus('connected');
      showNode(status.node, status.from);
      addRow('', `moved from ${status.from ?? 'another node'} to ${status.node}`, '', 'mark');
      break;
    case 'move-failed':
      if (client.state === 'connected') setStatus('connected');
      break;
    case 'gap':
      counts.gaps += 1;
      show('gaps', counts.gaps);
      show('gap-note', `last: ${status.reason}`);
      addRow('', `gap${status.topic ? ` in ${status.topic}` : ''}: ${status.reason}`, '', 'gap');
      break;
    case 'connecting':
    case 'connect-failed':
    case 'disconnected':
      setStatus('connecting');
      break;
    case 'closed':
      setStatus('closed');
      if (status.error) show('answer', status.error.message);
      break;
  }
});

client
  .subscribe('prices.demo', ({ data }) => {
    counts.prices += 1;
    show('price-count', counts.prices);
    show('price-word', counts.prices === 1 ? 'price' : 'prices');
    show('price', data.price.toFixed(2));
    prices.push(data.price);
    if (prices.length > maxPrices) prices.shift();
    drawPrices();
  })
  .catch((error) => show('answer', error.message));

setInterval(hello, helloEveryMs);

element('rebalance').addEventListener('click', (click) =>
  ask(click.currentTarget, 'demo.rebalance', ({ total }) =>
    total > 0 ? `Rebalancing: ${total} sessions are moving.` : 'All nodes are level already.',
  ),
);
element('quote').addEventListener('click', (click) =>
  ask(click.currentTarget, 'demo.quote', ({ price }) => `The quote is ${price.toFixed(2)} €.`),
);

async function hello() {
  try {
    await client.request('demo.hello', {});
  } catch {
    // The demo service is not there (yet); the next hello may find it.
  }
}

async function ask(button, method, words) {
  button.disabled = true;
  try {
    show('answer', words(await client.request(method, {})));
  } catch (error) {
    show('answer', `${error.code ?? 'failed'}: ${error.message}`);
  } finally {
    button.disabled = false;
  }
}

/** Orders are numbered without gaps per user and run of the demo service. */
function checkOrder(run, number) {
  if (expected !== undefined && expected.run === run && number !== expected.number) {
    faults += 1;
    element('order').dataset.ok = 'false';
    show('order', `${faults} faults`);
    show('order-note', `#${number} came, #${expected.number} was due`);
  }
  expected = { run, number: number + 1 };
}

function addRow(number, words, where, kind = '') {
  const row = document.createElement('li');
  row.className = kind;
  for (const [name, text] of Object.entries({ number, words, where })) {
    const cell = document.createElement('span');
    cell.className = name;
    cell.textContent = text;
    row.append(cell);
  }
  const list = element('events');
  list.prepend(row);
  while (list.children.length > maxRows) list.lastElementChild.remove();
}

function drawPrices() {
  const low = Math.min(...prices);
  const span = Math.max(...prices) - low || 1;
  const points = prices.map((price, i) => {
    const x = (300 * i) / Math.max(1, prices.length - 1);
    return `${x.toFixed(1)},${(85 - (80 * (price - low)) / span).toFixed(1)}`;
  });
  element('chart').firstElementChild.setAttribute('points', points.join(' '));
}

function showNode(node, from) {
  show('node', node);
  show('path', from ? `before: ${from}` : 'holds your socket');
  const tile = element('node').closest('.tile');
  tile.classList.remove('flash');
  // Reading a size makes the browser start the animation anew.
  void tile.offsetWidth;
  tile.classList.add('flash');
}

function setStatus(state) {
  show('status', state);
  element('status').dataset.state = state;
}

function randomName() {
  const key = 'evenkeel-demo-user';
  const known = localStorage.getItem(key);
  if (known) return known;
  const made = Math.random().toString(36).slice(2, 7);
  localStorage.setItem(key, made);
  return made;
}
