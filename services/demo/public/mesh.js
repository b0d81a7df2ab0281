// The upper half of the demo's page: the nodes, the crowd of clients and its counters, and the buttons.
import './node-bars.js';

/** Time between two looks at the counts; none while nobody looks at the page. */
const everyMs = 400;
/** A difference of sessions that nobody would move a client for. */
const levelWithin = 5;

const element = (id) => document.getElementById(id);
const show = (id, value) => {
  const text = String(value);
  if (element(id).textContent !== text) element(id).textContent = text;
};
const number = new Intl.NumberFormat('en');

/** Whether what is told is how level the nodes are: that stays true as they fill. */
let isSettled = false;

/** Nodes that hold no socket: they are shown, and not counted. */
const isDown = new Set(['starting', 'crashed', 'silent']);

const labels = {
  starting: () => 'starting',
  cordoned: ({ sessions }) => (sessions > 0 ? 'draining' : 'drained'),
  draining: () => 'stopping',
  crashed: () => 'crashed',
  silent: () => 'no answer',
};

/**
 * Shows the mesh, and goes on doing so. `own` says where this tab is: `{ node, isConnected }`, node undefined at first.
 */
export function showMesh(own) {
  const bars = element('nodes');
  let before;

  const look = async () => {
    try {
      const response = await fetch('/crowd.json');
      const view = await response.json();
      draw(bars, view, own());
      tell(before, view);
      before = view;
    } catch {
      // The gateway is away; the next look may find it again.
    }
    setTimeout(document.hidden ? once : look, everyMs);
  };
  /** A hidden page asks nothing until it is looked at. */
  const once = () => {
    if (!document.hidden) return void look();
    document.addEventListener('visibilitychange', once, { once: true });
  };
  void look();

  bars.addEventListener('node-action', ({ detail: { node, action } }) => void act(action, node));
  press('add-edge', () => act('add-edge'));
  press('drain-mine', () => act('drain', own().node));
  press('crash-one', () => {
    const active = (before?.nodes ?? []).filter(({ state }) => state === 'active');
    return act('kill-edge', active[Math.floor(Math.random() * active.length)]?.node);
  });
}

/** Once: where it is does not change. */
function linkConsole(href) {
  if (element('console').childElementCount > 0) return;
  const link = Object.assign(document.createElement('a'), { href, textContent: 'Console' });
  element('console').append(link);
}

function draw(bars, view, own) {
  bars.nodes = view.nodes.map((node) => ({
    ...node,
    label: labels[node.state]?.(node) ?? '',
    actions: view.canControl ? actionsOf(node) : [],
  }));
  bars.dots = [
    ...view.places.map((place, i) => ({ id: i, node: view.nodes[place]?.node })),
    ...(own.node === undefined
      ? []
      : [{ id: 'own', node: own.isConnected ? own.node : undefined, isOwn: true }]),
  ];
  if (view.console !== undefined) linkConsole(view.console);
  const { lost, repeated, reordered } = view;
  for (const [id, count] of Object.entries({ lost, repeated, reordered })) {
    show(id, number.format(count));
    element(id).dataset.ok = String(count === 0);
  }
  show('rate', number.format(view.eventsPerSecond));
  show('total', number.format(view.events));
  show('crowd-gaps', number.format(view.gaps));
  element('gaps-told').hidden = view.gaps === 0;
  show('crowd-moves', number.format(view.moves));
  const clients = view.size === 0 ? '' : `${number.format(view.clients)} clients on `;
  const up = view.nodes.filter(({ state }) => !isDown.has(state)).length;
  const nodes = up === 1 ? '1 node' : `${up} nodes`;
  show('headline', `${clients}${nodes}`);
  element('buttons').hidden = !view.canControl;
  element('no-control').hidden = view.canControl;
  element('counters').hidden = view.size === 0;
  element('no-crowd').hidden = view.size !== 0;
  element('drain-mine').disabled = own.node === undefined;
}

function actionsOf({ state, sessions }) {
  if (state !== 'cordoned' || sessions > 0) return [];
  return [
    { name: 'uncordon', label: 'Bring back' },
    { name: 'stop-edge', label: 'Stop it' },
  ];
}

/** What has happened between two looks, in a sentence; once nothing does, how level the nodes are. */
function tell(before, view) {
  if (before === undefined) return;
  const was = new Map(before.nodes.map((node) => [node.node, node]));
  const now = new Set(view.nodes.map(({ node }) => node));
  const sentences = [
    ...view.nodes.map((node) => happened(was.get(node.node), node)),
    ...before.nodes.map(({ node }) => (now.has(node) ? undefined : `${node} has left.`)),
  ].filter((sentence) => sentence !== undefined);
  if (sentences.length > 0) {
    isSettled = false;
    say(sentences.join(' '));
    return;
  }
  const isLevel = spreadOf(view) <= levelWithin;
  isSettled ||= isLevel && spreadOf(before) > levelWithin;
  if (isSettled && isLevel) say(`Level: ${activeSessions(view).join(' · ')}.`);
}

function happened(before, { node, state, sessions }) {
  if (before?.state === state) {
    if (state === 'cordoned' && before.sessions > 0 && sessions === 0) {
      return `${node} is empty. Its clients live on elsewhere.`;
    }
    return undefined;
  }
  switch (state) {
    case 'starting':
      return before === undefined ? `${node} is starting.` : `${node} is starting again.`;
    case 'active':
      if (before?.state === 'cordoned') return `${node} takes clients again.`;
      return `${node} has joined, empty. The balancer moves clients to it.`;
    case 'cordoned':
      return `${node} is draining: its clients move to the other nodes, connections open.`;
    case 'draining':
      return `${node} is stopping: its clients move first.`;
    case 'crashed':
      return `${node} has crashed. Its clients reconnect elsewhere; npm start starts it again.`;
    case 'silent':
      return `${node} does not answer.`;
  }
}

/** Between the fullest and the emptiest of the nodes that take clients. */
function spreadOf(view) {
  const counts = activeSessions(view);
  return counts.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...counts) - Math.min(...counts);
}

function activeSessions({ nodes }) {
  return nodes.filter(({ state }) => state === 'active').map(({ sessions }) => sessions);
}

function say(sentence) {
  show('story', sentence);
}

/** Not `disabled` meanwhile: whoever pressed it by the keyboard would lose their place. */
function press(id, work) {
  element(id).addEventListener('click', async ({ currentTarget: button }) => {
    if (button.getAttribute('aria-disabled') === 'true') return;
    button.setAttribute('aria-disabled', 'true');
    await work();
    button.removeAttribute('aria-disabled');
  });
}

/** The header is what no other site can send: the gateway asks for it. */
async function act(action, node) {
  const query = node === undefined ? '' : `?${new URLSearchParams({ node })}`;
  try {
    const headers = { 'x-evenkeel-local': '1' };
    const response = await fetch(`/local/${action}${query}`, { method: 'POST', headers });
    if (response.ok) return;
    const { error } = await response.json();
    say(`${error.code}: ${error.message}`);
  } catch {
    say('The gateway does not answer.');
  }
}
