// Writes down what the clients of a page handle and are told, where it outlives the page. See test/page-life/log.ts.
import { connect } from '/evenkeel.js';

const settings = new URLSearchParams(location.search);
const users = settings.get('users')?.split(',') ?? [];
const page = crypto.randomUUID().slice(0, 8);
let count = 0;

function write(entry) {
  const at = performance.timeOrigin + performance.now();
  const key = `log ${page} ${String(count++).padStart(6, '0')}`;
  localStorage.setItem(key, JSON.stringify({ page, client: -1, what: 'page', at, ...entry }));
}

for (const type of ['pagehide', 'pageshow', 'offline', 'online'])
  addEventListener(type, ({ persisted }) => write({ type, persisted }));
for (const type of ['freeze', 'resume', 'visibilitychange'])
  document.addEventListener(type, () => write({ type, hidden: document.hidden }));
const isDeaf = settings.get('mutant') === 'deaf';
/** What this page has left in the storage, by key. */
const left = {};
// What the judge has to catch: a page that does not learn that another has had its session.
if (isDeaf) {
  addEventListener('pageshow', () => {
    Object.assign(sessionStorage, left);
    localStorage.removeItem('evenkeel.taken');
  });
}

const clients = users.map((user, client) => {
  const made = connect({ gateway: settings.get('gateway'), user });
  const mine = { made, user, last: 0, stop: () => {} };
  made.onStatus(({ type, topic, reason, resumed, error, code, id }) => {
    if (type === 'gap' && topic !== undefined) return;
    const about = { client, user, session: made.session };
    if (type === 'unhandled') write({ ...about, what: 'event', n: Number(id.split('.')[1]), type });
    else write({ ...about, what: 'status', type, reason: error?.code ?? reason, resumed, code });
  });
  return mine;
});

if (isDeaf) addEventListener('pagehide', () => Object.assign(left, sessionStorage));

/** Has each client handle events, in the place of the handlers it has. */
function handle() {
  for (const [client, { made, user, stop }] of clients.entries()) {
    const handler = ({ data: n, redelivered }) => {
      clients[client].last = n;
      write({ client, user, session: made.session, what: 'event', n, redelivered });
    };
    const before = stop;
    clients[client].stop = made.on('number', handler);
    before();
  }
}
handle();
/** Leaves what comes without a handler until the next `handle`. */
function dismiss() {
  for (const client of clients) {
    client.stop();
    client.stop = () => {};
  }
}

const frames = () => [...document.querySelectorAll('iframe')];
const addFrame = () => {
  const frame = document.createElement('iframe');
  const own = new URLSearchParams(settings);
  own.delete('frame');
  own.set('users', users[0] ?? settings.get('framed') ?? '');
  frame.src = `/life.html?${own}`;
  document.body.append(frame);
};
if (settings.has('frame')) addFrame();

globalThis.life = {
  page,
  handle,
  dismiss,
  addFrame,
  removeFrame: () => frames()[0]?.remove(),
  /** The clients of this page and of the frames in it. */
  state: () => [
    ...clients.map(({ made, user, last }, client) => ({
      page,
      client,
      user,
      last,
      state: made.state,
      session: made.session,
      node: made.node,
    })),
    ...frames().flatMap(
      (frame) => frame.contentWindow?.life?.state() ?? [{ page: 'loading', state: 'connecting' }],
    ),
  ],
};
