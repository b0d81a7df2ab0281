import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientFrame, fairUse } from '@evenkeel/protocol';
import type { Attack } from '../attack.js';
import type { Peer } from '../peer.js';
import type { World } from '../world.js';

const floodMs = 3000;
/** Beyond this a socket's buffer is the attacker's memory, not the mesh's. */
const mostBufferedBytes = 8 * 1024 * 1024;

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

/**
 * Sockets of as many users, and so many of these frames a second over all. What has no id is only ignored, until its socket is closed.
 * `endsWith`: the first ends its socket with this code.
 */
function framesOf(
  kind: string,
  frame: (n: number) => object | string,
  given: Partial<Attack> & { perSecond?: number; sockets?: number; endsWith?: number } = {},
): Attack {
  const { perSecond = 4000, sockets = 10, endsWith, ...rest } = given;
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
      const areAllClosed = peers.every(
        ({ closed }) => closed !== undefined && closed.code === (endsWith ?? closed.code),
      );
      // A ping beyond the limit is ignored. Of what has no answer at all only the end of its socket tells.
      const isHeldUp = limited > 0 || (doneInAll > 0 && doneInAll < sent / 4);
      return {
        sent: `${sent} frames in ${floodMs / 1000} s on ${sockets} sockets`,
        answered:
          `${limited} × rate-limited, ${doneInAll} carried out, of a socket at most ${Math.max(...done)} ` +
          `of the ${most} allowed, ${closedOf(peers)}`,
        isRefused: (areAllClosed || (endsWith === undefined && isHeldUp)) && Math.max(...done) <= most,
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
    const prefix = `open.t${randomUUID().slice(0, 8)}`;
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

/** They go and come, so they are one flood. */
const subscribes = framesOf('subscribes', (n) => ({
  t: n % 2 === 0 ? 'subscribe' : 'unsubscribe',
  id: `s${n}`,
  topic: 'open.same',
}));

/** Of each kind that the protocol lets a client send; what has no answer comes on few sockets, so that each goes on for long enough. */
export const floodOfKind: Readonly<Record<ClientFrame['t'], Attack>> = {
  ping: framesOf('pings', () => '{"t":"ping"}', {
    sockets: 4,
    once: '8,200 a second were answered, and nobody was closed',
  }),
  ack: framesOf('acks', () => '{"t":"ack","seq":0,"busy":true}', { sockets: 4 }),
  publish: framesOf('publishes', (n) => ({ t: 'publish', id: `p${n}`, topic: 'open.x', data: 1 })),
  request: framesOf('requests', (n) => ({ t: 'request', id: `r${n}`, method: 'open.x', data: 1 })),
  subscribe: subscribes,
  unsubscribe: subscribes,
  refresh: framesOf('refreshes', (n) => ({ t: 'refresh', id: `f${n}`, token: 'x.y.z' })),
  presence: framesOf('presence', (n) => ({ t: 'presence', id: `w${n}`, topic: 'kept.x' }), { sockets: 4 }),
  history: framesOf('histories', (n) => ({ t: 'history', id: `h${n}`, topic: 'kept.x', last: 1000 }), {
    sockets: 4,
  }),
  // To no question: whoever asked would have to be told.
  answer: framesOf('answers', (n) => ({ t: 'answer', id: `a${n}`, data: 1 }), { sockets: 4 }),
  cancel: framesOf('cancels', (n) => ({ t: 'cancel', re: `c${n}` }), { sockets: 4 }),
  // Both end their socket; what comes behind the first is to do nothing.
  hello: framesOf('hellos', () => '{"t":"hello","resume":true}', { endsWith: 4500 }),
  bye: framesOf('byes', () => '{"t":"bye"}', { endsWith: 1000 }),
};

export const frameFloods: readonly Attack[] = [
  ...new Set(Object.values(floodOfKind)),
  framesOf('unknown-kinds', (n) => ({ t: `kind-${n}`, id: `k${n}` })),
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
