// A chat without a server of its own: rooms keep their history, say who is there, and relay what members say and type.
// Topics: room.<name> and typing.<name>, whose namespaces are in ../namespaces.json.
import { connect } from './evenkeel.js';

const typingMs = 3_000;
const names = ['harbour', 'bridge', 'galley'];
const user = new URLSearchParams(location.search).get('user') ?? 'guest';
const { gateway } = await (await fetch('config.json')).json();
const client = connect({ gateway, user });

const byId = (id) => document.getElementById(id);
const show = (name, text) => {
  document.querySelector(`[data-testid=${name}]`).textContent = text;
};
/** An element with text in it, which no browser reads as HTML. */
const element = (tag, text, attributes = {}) => {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
};

class Room {
  messages = [];
  people = new Set();
  typing = new Map();

  constructor(name) {
    this.name = name;
    this.topic = client.topic(`room.${name}`, { last: 100 });
    this.topic.on('message', (message) => this.add(message));
    // The history mends every loss; what it does not reach any more is told.
    this.topic.on('gap', ({ reason }) => this.add({ id: crypto.randomUUID(), gap: reason }));
    this.topic.on('presence', ({ users = [] }) => {
      this.people = new Set(users.map(({ user }) => user));
      draw();
    });
    this.typed = client.topic(`typing.${name}`, { echo: false });
    this.typed.on('message', ({ from }) => {
      this.typing.set(from.user, Date.now() + typingMs);
      setTimeout(draw, typingMs + 50);
      draw();
    });
  }

  add(message) {
    this.messages.push(message);
    if (message.from) this.typing.delete(message.from.user);
    draw();
  }

  /** What was said by others since this user last looked, on this device. */
  get unread() {
    const last = localStorage.getItem(`${user} has read ${this.name}`);
    const seen = this.messages.findLastIndex(({ id }) => id === last);
    return this.messages.slice(seen + 1).filter(({ from }) => from && from.user !== user).length;
  }

  markRead() {
    const last = this.messages.findLast(({ from }) => from);
    if (last) localStorage.setItem(`${user} has read ${this.name}`, last.id);
  }
}

const rooms = names.map((name) => new Room(name));
let open = rooms[0];

function draw() {
  if (document.visibilityState === 'visible') open.markRead();
  byId('rooms').replaceChildren(...rooms.map(roomButton));
  byId('people').replaceChildren(...[...open.people].sort().map((name) => element('li', name)));
  const list = byId('messages');
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  list.replaceChildren(...open.messages.map(messageItem));
  if (isAtEnd) list.scrollTop = list.scrollHeight;
  const typers = [...open.typing].filter(([, until]) => until > Date.now()).map(([name]) => name);
  byId('typing').textContent = typers.length > 0 ? `${typers.join(', ')} …` : '\u00a0';
  const unread = rooms.reduce((sum, room) => sum + room.unread, 0);
  document.title = unread > 0 ? `(${unread}) chat` : 'chat';
}

function roomButton(room) {
  const button = element('button', room.name, room === open ? { 'aria-current': 'true' } : {});
  if (room.unread > 0) button.append(element('span', room.unread, { class: 'unread' }));
  button.onclick = () => {
    open = room;
    draw();
  };
  const item = document.createElement('li');
  item.append(button);
  return item;
}

function messageItem({ from, data, at, gap }) {
  if (gap) return element('li', `Some messages are missing here (${gap}).`, { class: 'gap' });
  const item = element('li', '', { class: from?.user === user ? 'own' : 'other' });
  const time = new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  item.append(element('b', from?.user ?? 'the house'), ` ${data.text}`, element('time', time));
  return item;
}

let saidTypingMs = 0;
byId('text').oninput = () => {
  if (Date.now() - saidTypingMs < typingMs / 2) return;
  saidTypingMs = Date.now();
  open.typed.publish(null).catch(() => {});
};
byId('form').onsubmit = async (event) => {
  event.preventDefault();
  const text = byId('text').value.trim();
  if (text === '') return;
  byId('text').value = '';
  saidTypingMs = 0;
  try {
    await open.topic.publish({ text });
  } catch (error) {
    byId('text').value = text;
    show('status', `not sent: ${error.message}`);
  }
};

let moves = 0;
client.onStatus((status) => {
  if (status.type === 'connected' || status.type === 'moved') show('node', status.node);
  if (status.type === 'moved') show('moves', ++moves);
  show('status', client.state);
});
document.onvisibilitychange = draw;
show('me', user);
draw();
