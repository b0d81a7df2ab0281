// Everybody sees everybody's mouse. Nothing is kept, and no service is asked: the edges relay it.
import { connect } from './evenkeel.js';

const user = new URLSearchParams(location.search).get('user') ?? 'guest';
const { gateway } = await (await fetch('config.json')).json();
const client = connect({ gateway, user });
/** How often a position is sent: well under the 100 frames a second that an edge takes of one connection. */
const everyMs = 50;
const goneAfterMs = 5_000;

/** Others' cursors by session: one user may have two tabs. */
const cursors = new Map();

// echo: false: what this tab sends does not come back to it.
const topic = client.topic('cursors.demo', { echo: false });
topic.on('message', ({ from, data }) => {
  const cursor = cursors.get(from.session) ?? newCursor(from);
  cursor.seenMs = Date.now();
  cursor.element.style.transform = `translate(${data.x * innerWidth}px, ${data.y * innerHeight}px)`;
});

function newCursor({ user: name, session }) {
  const element = document.createElement('div');
  element.className = 'cursor';
  element.textContent = name;
  document.body.append(element);
  const cursor = { element, seenMs: 0 };
  cursors.set(session, cursor);
  return cursor;
}

setInterval(() => {
  for (const [session, { element, seenMs }] of cursors) {
    if (Date.now() - seenMs < goneAfterMs) continue;
    element.remove();
    cursors.delete(session);
  }
}, 1_000);

let at;
globalThis.onpointermove = ({ clientX, clientY }) => {
  at = { x: clientX / innerWidth, y: clientY / innerHeight };
};
setInterval(() => {
  if (!at) return;
  // Only the newest position counts: one that cannot be sent now is not sent later.
  if (client.state === 'connected' || client.state === 'moving') topic.publish(at).catch(() => {});
  at = undefined;
}, everyMs);

const show = (name, text) => {
  document.querySelector(`[data-testid=${name}]`).textContent = text;
};
client.onStatus(({ node }) => {
  if (node) show('node', node);
  show('status', client.state);
});
show('me', user);
