// A page that shows an answer as it is made. It goes on over moves, the end of its edge, and a reload in the middle of it.
import { connect } from './evenkeel.js';

const user = new URLSearchParams(location.search).get('user') ?? 'guest';
const { gateway } = await (await fetch('config.json')).json();
const client = connect({ gateway, user });

const byId = (id) => document.getElementById(id);
const show = (name, text) => {
  document.querySelector(`[data-testid=${name}]`).textContent = text;
};

/** What this tab has of the answer; it outlives a reload, as the session does. */
const kept = {
  get words() {
    return JSON.parse(sessionStorage.getItem('words') ?? '[]');
  },
  set words(words) {
    sessionStorage.setItem('words', JSON.stringify(words));
  },
};

let current;

async function read(stream) {
  current = stream;
  byId('ask').disabled = true;
  byId('stop').disabled = false;
  show('note', '');
  try {
    for await (const { n, word } of stream) {
      const words = kept.words;
      if (n < words.length) continue; // the page before has had it, and was gone before it could say so
      kept.words = [...words, word];
      show('answer', kept.words.join(' '));
    }
    show('note', `${kept.words.length} words`);
  } catch (error) {
    show('note', error.code === 'aborted' ? 'stopped' : `${error.code}: ${error.message}`);
  } finally {
    current = undefined;
    byId('ask').disabled = false;
    byId('stop').disabled = true;
  }
}

byId('form').onsubmit = (event) => {
  event.preventDefault();
  kept.words = [];
  show('answer', '');
  read(client.stream('shop.ask', { question: byId('question').value }));
};
byId('stop').onclick = () => current?.return();

let moves = 0;
let losses = 0;
client.onStatus((status) => {
  if (status.type === 'connected' || status.type === 'moved') show('node', status.node);
  if (status.type === 'moved') show('moves', ++moves);
  if (status.type === 'disconnected') show('losses', ++losses);
  show('status', client.state);
});

// An answer that the page before had asked for comes back with its next part.
show('answer', kept.words.join(' '));
const looking = setInterval(() => {
  const [unfinished] = client.streams();
  if (current || !unfinished) return;
  clearInterval(looking);
  read(unfinished);
}, 50);
show('me', user);
