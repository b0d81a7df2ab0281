import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fairUse } from '@evenkeel/protocol';
import type { Attack } from '../attack.js';
import type { Peer } from '../peer.js';
import type { World } from '../world.js';

const floodMs = 3000;
/** Beyond this a socket's buffer is the attacker's memory, not the mesh's. */
const mostBufferedBytes = 8 * 1024 * 1024;

const fresh = (): string => randomUUID().slice(0, 8);

type Attached = Awaited<ReturnType<World['attach']>>;

async function several(world: World, count: number, user: (n: number) => string): Promise<Attached[]> {
  const peers: Attached[] = [];
  for (let n = 0; n < count; n++) peers.push(await world.attach(user(n)));
  return peers;
}

/** So many frames of that length may have been carried out of one connection, in that time. */
function mostDone(frameBytes: number, tookMs: number): number {
  const { framesBurst, framesPerSecond, bytesBurst, bytesPerSecond } = fairUse;
  const within = (burst: number, perSecond: number): number => burst + (perSecond * tookMs) / 1000;
  const most = Math.min(
    within(framesBurst, framesPerSecond),
    within(bytesBurst, bytesPerSecond) / frameBytes,
  );
  return Math.ceil(most);
}

/** Why sockets were closed, in few words. */
function closedOf(peers: readonly Peer[]): string {
  const closed = peers.flatMap((peer) => peer.closed ?? []);
  return `${closed.length} sockets closed ${[...new Set(closed.map(({ code }) => code))].join(', ')}`;
}

/** Sockets of as many users, and so many of these frames a second over all. What has no id is only ignored, until its socket is closed. */
function framesOf(
  kind: string,
  frame: (n: number) => object | string,
  given: Partial<Attack> & { perSecond?: number; sockets?: number } = {},
): Attack {
  const { perSecond = 4000, sockets = 10, ...rest } = given;
  const example = frame(0);
  const frameBytes = (typeof example === 'string' ? example : JSON.stringify(example)).length;
  return {
    name: `flood-of-${kind}`,
    control: 'sink',
    ...rest,
    async run(world) {
      const beganAt = performance.now();
      const peers = await several(world, sockets, (n) => `flood-${kind}-${n}`);
      let sent = 0;
      await world.flood(floodMs, perSecond, (n) => {
        const peer = peers[n % peers.length];
        if (peer?.isOpen !== true || peer.bufferedBytes > mostBufferedBytes) return;
        peer.send(frame(n));
        sent++;
      });
      await sleep(500);
      const most = mostDone(frameBytes, performance.now() - beganAt);
      const limited = peers.reduce((sum, peer) => sum + peer.limited, 0);
      const done = peers.map((peer) => peer.done);
      const doneInAll = done.reduce((sum, each) => sum + each, 0);
      // A ping beyond the limit is ignored.
      const isHeldUp =
        limited > 0 || peers.every((peer) => peer.closed !== undefined) || doneInAll < sent / 4;
      return {
        sent: `${sent} frames in ${floodMs / 1000} s on ${sockets} sockets`,
        answered:
          `${limited} × rate-limited, ${doneInAll} carried out, of a socket at most ${Math.max(...done)} ` +
          `of the ${most} allowed, ${closedOf(peers)}`,
        isRefused: isHeldUp && Math.max(...done) <= most,
      };
    },
  };
}

/** Slow enough for the limit of frames: the one of topics nobody has is what refuses. */
const newTopics: Attack = {
  name: 'flood-of-new-topics',
  once: 'nobody could attach for ten seconds, and again when the bindings went',
  control: 'sink',
  async run(world) {
    const [sockets, perSecond] = [10, 80];
    const prefix = `open.t${fresh()}`;
    const beganAt = performance.now();
    const peers = await several(world, sockets, () => 'flood-new-topics');
    await world.flood(floodMs, sockets * perSecond, (n) => {
      const topic = n >> 1;
      const [t, id] = n % 2 === 0 ? ['subscribe', `s${topic}`] : ['unsubscribe', `u${topic}`];
      peers[topic % sockets]?.send({ t, id, topic: `${prefix}-${topic}` });
    });
    await sleep(500);
    const { userTopicsBurst, userTopicsPerSecond } = fairUse;
    const tookS = (performance.now() - beganAt) / 1000;
    const most = Math.ceil(userTopicsBurst + userTopicsPerSecond * tookS);
    const subscribed = (peer: Peer): number =>
      peer.of('ok').filter(({ re }) => `${re}`.startsWith('s')).length;
    // The limit is a user's on an edge.
    const done = world.at.edges.map(({ node }) =>
      peers.filter(({ place }) => place.node === node).reduce((sum, peer) => sum + subscribed(peer), 0),
    );
    const limited = peers.flatMap((peer) => peer.of('error').filter(({ code }) => code === 'rate-limited'));
    // Unsubscribing is refused for nothing but too many frames.
    const byFrames = limited.filter(({ re }) => `${re}`.startsWith('u')).length;
    return {
      sent: `${perSecond} frames a second on each of ${sockets} sockets of one user, to new topics and away again`,
      answered:
        `${limited.length} × rate-limited, ${byFrames} of them for frames; ` +
        `on an edge at most ${Math.max(...done)} of the ${most} topics allowed, ${closedOf(peers)}`,
      isRefused: limited.length > 0 && byFrames === 0 && Math.max(...done) <= most,
    };
  },
};

const numbers = JSON.stringify(Array.from({ length: 31_000 }, () => 1));

const frames: readonly Attack[] = [
  framesOf('pings', () => '{"t":"ping"}', {
    sockets: 4,
    once: '8,200 a second were answered, and nobody was closed',
  }),
  framesOf('unknown-kinds', (n) => ({ t: `kind-${n}`, id: `k${n}` })),
  framesOf('acks', () => '{"t":"ack","seq":0,"busy":true}', { sockets: 4 }),
  framesOf('publishes', (n) => ({ t: 'publish', id: `p${n}`, topic: 'open.x', data: 1 })),
  framesOf('requests', (n) => ({ t: 'request', id: `r${n}`, method: 'open.x', data: 1 })),
  framesOf('subscribes', (n) => ({
    t: n % 2 === 0 ? 'subscribe' : 'unsubscribe',
    id: `s${n}`,
    topic: 'open.same',
  })),
  framesOf('refreshes', (n) => ({ t: 'refresh', id: `f${n}`, token: 'x.y.z' })),
  framesOf('large-pings', () => `{"t":"ping","a":${numbers}}`, {
    once: 'took half of a processor; events of others came 12 times as late',
    perSecond: 1000,
  }),
  framesOf('large-publishes', (n) => `{"t":"publish","id":"p${n}","topic":"open.x","data":${numbers}}`, {
    once: 'an edge grew from 97 to 2,106 MB in 10 s, within the limit of frames',
    perSecond: 1000,
  }),
  newTopics,
];

const sessions: Attack = {
  name: 'sessions-1942',
  once: '1,942 queues in 9.4 s; an event to that user then took two seconds to confirm',
  control: 'sink',
  async run(world) {
    const token = world.token(`many-${fresh()}`);
    const count = 1942;
    const statuses = new Map<number, number>();
    const peers: Peer[] = [];
    let asking = 0;
    await world.flood(6000, count / 5, async (n) => {
      if (n >= count || asking > 50) return;
      asking++;
      const { status, body } = await world.lookup(token, { session: `made-up-${n}` });
      asking--;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status !== 200) return;
      const peer = world.dial(body as never);
      peers.push(peer);
      await world.open(peer);
      peer.send({ t: 'hello' });
    });
    await sleep(1000);
    const welcome = peers.filter((peer) => peer.of('welcome').length > 0 && peer.isOpen).length;
    return {
      sent: `one user asks for ${count} sessions in 5 s, with ids made up, and opens what it may`,
      answered: `${[...statuses].map(([status, n]) => `${n} × ${status}`).join(', ')}; ${welcome} sockets at once in the end`,
      isRefused: (statuses.get(429) ?? 0) > 0 && peers.length <= 120 && welcome <= 64 * world.at.edges.length,
    };
  },
};

const madeUp: Attack = {
  name: 'made-up-session-ids',
  once: 'the limit of new sessions was passed by naming an id: 654 in place of 23',
  control: 'sink',
  async run(world) {
    const token = world.token(`made-up-${fresh()}`);
    const given: string[] = [];
    for (let n = 0; n < 10; n++) {
      const { body } = await world.lookup(token, { session: `never-seen-${n}` });
      given.push(String(body.session));
    }
    const kept = given.filter((session) => session.startsWith('never-seen')).length;
    return {
      sent: '10 sessions with ids that no gateway has given, without `resume`',
      answered: `${given.length - kept} got a new id, ${kept} the one they made up`,
      isRefused: kept === 0,
    };
  },
};

const hoarder: Attack = {
  name: 'tickets-hoarded',
  once: '300 tickets that nobody used kept everybody else out for 30 s',
  control: 'sink',
  async run(world) {
    const token = world.token(`hoarder-${fresh()}`);
    const statuses: number[] = [];
    const beganAt = performance.now();
    await Promise.all(
      Array.from({ length: 300 }, async (_, n) =>
        statuses.push((await world.lookup(token, { session: `h${n}` })).status),
      ),
    );
    const tookS = (performance.now() - beganAt) / 1000;
    const others = [];
    for (let n = 0; n < 10; n++) others.push((await world.lookup(world.token(`other-${fresh()}`))).status);
    const given = statuses.filter((status) => status === 200).length;
    return {
      sent: 'one user asks for 300 tickets at once, and dials with none',
      answered: `${given} tickets, ${statuses.filter((status) => status === 429).length} × 429; others then ${[...new Set(others)].join(', ')}`,
      // 40 at once, and 10 a second.
      isRefused: given <= 41 + 10 * tookS && others.every((status) => status === 200),
    };
  },
};

const slots: Attack = {
  name: 'admission-slots',
  once: 'others were sent away in 44 of 59 tries, for 15 to 60 s',
  control: 'sink',
  async run(world) {
    const token = world.token(`greedy-${fresh()}`);
    let asked = 0;
    let given = 0;
    const endAt = performance.now() + floodMs;
    await Promise.all(
      Array.from({ length: 60 }, async () => {
        while (performance.now() < endAt) {
          asked++;
          if ((await world.lookup(token)).status === 200) given++;
        }
      }),
    );
    return {
      sent: `60 connections of one user ask as fast as they go: ${asked} times in ${floodMs / 1000} s`,
      answered: `${given} tickets`,
      isRefused: given <= 100,
    };
  },
};

const spoofed: Attack = {
  name: 'spoofed-addresses',
  control: 'sink',
  async run(world) {
    const statuses = new Map<number, number>();
    let asking = 0;
    await world.flood(2500, 800, async (n) => {
      if (asking > 100) return;
      asking++;
      const from = `203.0.113.${n % 250}`;
      const headers = { 'x-forwarded-for': from, forwarded: `for=${from}`, 'x-real-ip': from };
      const { status } = await world.ask(world.url(), { headers, localAddress: '127.0.0.68' });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      asking--;
    });
    return {
      sent: '800 requests a second without credentials, each under another X-Forwarded-For',
      answered: [...statuses].map(([status, n]) => `${n} × ${status}`).join(', '),
      isRefused: (statuses.get(429) ?? 0) > 0,
    };
  },
};

const lateHello: Attack = {
  name: 'late-hello',
  once: 'clients that were slow to say hello halved and halved again what a gateway sent to every edge',
  control: 'sink',
  async run(world) {
    const late: Promise<unknown>[] = [];
    for (let n = 0; n < 9; n++) {
      const peer = world.dial(await world.place(world.token(`late-${n}`)));
      late.push(sleep(world.isSink ? 10 : 2500).then(() => peer.send({ t: 'hello' })));
      await sleep(200);
    }
    await Promise.all(late);
    await sleep(1200);
    const measured = await Promise.all(world.at.edges.map(({ node }) => world.statusOf(node)));
    const worst = Math.max(...measured.map((status) => Number(status.handshakeP99Ms ?? 0)));
    return {
      sent: '9 sockets that say hello 2.5 s late',
      answered: `handshake p99 of the edges at most ${Math.round(worst)} ms`,
      isRefused: worst < 2000,
    };
  },
};

const topicsInHello: Attack = {
  name: 'topics-nobody-has-in-hello',
  once: 'one user made handshakes look slow, and gateways sent fewer to every edge',
  control: 'sink',
  async run(world) {
    const [perSecond, forMs, topicsEach] = [10, 5000, 128];
    const token = world.token(`namer-${fresh()}`);
    const peers: Peer[] = [];
    const come = async (n: number): Promise<void> => {
      const { status, body } = await world.lookup(token, { session: `n${n}` });
      if (status !== 200) return;
      const peer = world.dial(body as never);
      await world.open(peer);
      const topics = Array.from({ length: topicsEach }, () => `open.${randomUUID()}`);
      if (!peer.isOpen) return;
      peer.send({ t: 'hello', pass: body.pass, topics });
      peers.push(peer);
    };
    // An edge says the p99 of the last second only.
    let worst = 0;
    const look = async (): Promise<void> => {
      const measured = await Promise.all(world.at.edges.map(({ node }) => world.statusOf(node)));
      worst = Math.max(worst, ...measured.map((status) => Number(status.handshakeP99Ms ?? 0)));
    };
    const welcome = (): number => peers.filter((peer) => peer.of('welcome').length > 0).length;
    const everyHalfSecond = setInterval(() => void look(), 500);
    try {
      await world.flood(forMs, perSecond, (n) => void come(n));
      for (let waited = 0; waited < 20 && !world.isSink && welcome() < peers.length; waited++)
        await sleep(500);
      await sleep(1200);
    } finally {
      clearInterval(everyHalfSecond);
    }
    await look();
    return {
      sent: `${peers.length} sockets of one user in ${forMs / 1000} s, each with ${topicsEach} topics in hello that nobody has`,
      answered: `${welcome()} × welcome; handshake p99 of the edges at most ${Math.round(worst)} ms`,
      isRefused: peers.length >= 40 && welcome() > 0 && worst < 250,
    };
  },
};

const liars: Attack = {
  name: 'lies-about-from',
  once: 'three users sent all new clients to one node: 20 and 20 became 12 and 88',
  control: 'sink',
  async run(world) {
    const [edge] = world.at.edges;
    await world.flood(2000, 20, (n) =>
      world.lookup(world.token(`liar-${n % 3}`), { session: 'a', from: edge?.node ?? '' }),
    );
    const nodes: string[] = [];
    for (let n = 0; n < 40; n++)
      nodes.push(String((await world.lookup(world.token(`told-${fresh()}`))).body.node));
    const there = nodes.filter((node) => node === edge?.node).length;
    return {
      sent: 'three users say twenty times a second that they come from edge-1; then 40 new users',
      answered: `${there} of 40 were sent to edge-1`,
      isRefused: there >= 8 && there <= 32,
    };
  },
};

const counted: Attack = {
  name: 'topics-counted-wrong',
  once: 'an innocent client lost a topic without a gap: it got 1 of 8 messages',
  control: 'sink',
  async run(world) {
    const topic = `open.race-${fresh()}`;
    const mallory = await world.attach('racer');
    mallory.send({ t: 'subscribe', id: 'a', topic });
    mallory.send({ t: 'unsubscribe', id: 'b', topic });
    const cut = await world.attach('cut', { hello: { topics: [topic] } });
    cut.drop();
    const alice = await world.attach('subscriber', { hello: { topics: [topic] } });
    const bob = await world.attach('passer-by');
    await world.answer(bob, { t: 'subscribe', id: 's', topic }, 's');
    await world.answer(bob, { t: 'unsubscribe', id: 'u', topic }, 'u');
    // What nobody wants any more is unbound after 10 s.
    await sleep(world.isSink ? 12_000 : 11_500);
    for (let n = 0; n < 8; n++) await world.publishTo(topic, n);
    await world.until(alice, () => alice.of('message').length >= 8, 3000);
    return {
      sent: 'subscribe and unsubscribe at once, a hello that breaks off, one that comes and goes; 11 s later 8 messages',
      answered: `the subscriber that stayed got ${alice.of('message').length} of 8`,
      isRefused: alice.of('message').length === 8,
    };
  },
};

export const floodAttacks: readonly Attack[] = [
  ...frames,
  sessions,
  madeUp,
  hoarder,
  slots,
  spoofed,
  lateHello,
  topicsInHello,
  liars,
  counted,
];
