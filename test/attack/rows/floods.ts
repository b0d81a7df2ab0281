import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack } from '../attack.js';
import type { Peer } from '../peer.js';
import { fewHandshakes } from '../world.js';
import { ticketOfSpareEdge } from './tickets.js';

const floodMs = 3000;

const fresh = (): string => randomUUID().slice(0, 8);

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

/** What is asked for with no good ticket; from the same address one with a good ticket comes in all the while. */
const junkTickets: Attack = {
  name: 'flood-of-junk-tickets',
  once: 'each was answered 401, as many as were sent',
  control: 'sink',
  needs: 'spare-edge',
  async run(world) {
    const url = world.extra('spare-edge').url.replace('localhost', '127.0.0.1');
    const statuses = new Map<string, number>();
    let [asking, sent] = [0, 0];
    const beganAt = performance.now();
    const flood = world.flood(floodMs, 600, async (n) => {
      if (asking > 100) return;
      asking++;
      sent++;
      const peer = world.dial({ url, ticket: `junk-${n}`, node: '', session: '' });
      await world.open(peer);
      const status = String(peer.refused ?? 'none');
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      peer.drop();
      asking--;
    });
    await sleep(floodMs / 2);
    const ticket = await ticketOfSpareEdge(world, `honest-${fresh()}`);
    const honest = world.dial({ url, ticket, node: '', session: '' });
    const isIn = await world.open(honest).then(() => honest.isOpen);
    await flood;
    await sleep(500);
    const tookS = (performance.now() - beganAt) / 1000;
    // Each counts as 20, and half of the burst is for others.
    const most = Math.ceil((fewHandshakes.burst / 2 + fewHandshakes.perSecond * tookS) / 20);
    return {
      sent: `${sent} upgrades with tickets that are none, and a good one`,
      answered: `${[...statuses].map(([status, n]) => `${n} × ${status}`).join(', ')}; of 401 at most ${most}; the good one ${isIn ? 'got in' : 'did not'}`,
      isRefused: (statuses.get('429') ?? 0) > 0 && (statuses.get('401') ?? 0) <= most && isIn,
    };
  },
};

export const floodAttacks: readonly Attack[] = [
  junkTickets,
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
