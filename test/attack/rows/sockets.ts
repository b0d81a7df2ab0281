import { setTimeout as sleep } from 'node:timers/promises';
import { fairUse } from '@evenkeel/protocol';
import type { Attack, Seen } from '../attack.js';
import { heldAtOnce, type Span } from '../held.js';
import { attackersAddress, type World } from '../world.js';
import { ticketOfSpareEdge } from './tickets.js';

const edgeUrl = (world: World): string => world.at.edges[0]?.url ?? '';

/** Many connections that send half a request and no more, by turns from these addresses; `closed` is how many the other side has closed. */
async function openHalf(
  world: World,
  url: string,
  count: number,
  from: readonly string[] = [attackersAddress],
): Promise<{ closed(): number; spans(): readonly Span[]; end(): void }> {
  const sockets: ReturnType<World['tcp']>[] = [];
  const spans: { openedAtMs: number | undefined; closedAtMs: number | undefined }[] = [];
  let closed = 0;
  for (let n = 0; n < count; n++) {
    const socket = world.tcp(url, from[n % from.length]);
    const span: (typeof spans)[number] = { openedAtMs: undefined, closedAtMs: undefined };
    socket.on('connect', () => {
      span.openedAtMs = performance.now();
      socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nX-Slow:');
    });
    socket.on('close', () => {
      span.closedAtMs = performance.now();
      closed++;
    });
    sockets.push(socket);
    spans.push(span);
    if (n % 100 === 99) await sleep(10);
  }
  const end = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return { closed: () => closed, spans: () => spans, end };
}

/** The same until `wanted` were closed, or for so long; says how many were. */
async function halfOpen(
  world: World,
  url: string,
  count: number,
  wanted: number,
  holdMs: number,
): Promise<number> {
  const { closed, end } = await openHalf(world, url, count);
  const endsAtMs = performance.now() + holdMs;
  while (closed() < wanted && performance.now() < endsAtMs) await sleep(50);
  const found = closed();
  end();
  return found;
}

/** Short of the 5 s after which a gateway closes whoever says nothing. */
const refusedWithinMs = 3_500;

const halfOpenEdge: Attack = {
  name: 'half-open-5000-edge',
  control: 'sink',
  async run(world) {
    const count = 5000;
    const wanted = count - fairUse.maxPendingPerAddress;
    const closed = await halfOpen(world, edgeUrl(world), count, wanted, refusedWithinMs);
    return {
      sent: `${count} connections to an edge that send half a request line`,
      // So many of one address may wait for their upgrade.
      answered: `${closed} were closed within ${refusedWithinMs / 1_000} s`,
      isRefused: closed >= wanted,
    };
  },
};

/** An attacker at idle priority may take long to dial them all, and to hear what became of each. */
const allOpenWithinMs = 20_000;

const halfOpenGateway: Attack = {
  name: 'half-open-5000-gateway',
  control: 'sink',
  async run(world) {
    const count = 5000;
    // Of one address, at the same time.
    const most = 2000;
    const { spans, end } = await openHalf(world, world.at.gateway, count);
    const dialledAtMs = performance.now();
    const isSettled = ({ openedAtMs, closedAtMs }: Span): boolean =>
      closedAtMs !== undefined ||
      (openedAtMs !== undefined && performance.now() - openedAtMs > refusedWithinMs);
    while (!spans().every(isSettled) && performance.now() - dialledAtMs < allOpenWithinMs) await sleep(50);
    const { status } = await world.lookup(world.token('mallory'), {}, { localAddress: '127.0.0.67' });
    const settled = spans().filter(isSettled).length;
    const opened = spans().filter(({ openedAtMs }) => openedAtMs !== undefined).length;
    const held = heldAtOnce(spans(), refusedWithinMs);
    end();
    return {
      sent: `${count} connections to the gateway that send half a request line`,
      answered:
        `${opened} opened, ${held} were held at the same time, of at most ${most}, and what was refused was closed within ` +
        `${refusedWithinMs / 1_000} s; another address meanwhile: ${status}`,
      isRefused: status === 200 && settled === count && opened > most && held <= most,
    };
  },
};

/** Tries until the spare edge lets this user in, for so long; says how that ended. */
async function attachWithin(
  world: World,
  url: string,
  user: string,
  ms: number,
): Promise<{ isIn: boolean; how: string }> {
  const beganAt = performance.now();
  const passed = (): string => `${((performance.now() - beganAt) / 1000).toFixed(1)} s later`;
  for (let tries = 1; ; tries++) {
    const ticket = await ticketOfSpareEdge(world, user);
    const peer = world.dial({ url, ticket, node: '', session: '' }, { localAddress: '127.0.0.1' });
    await world.open(peer);
    peer.send({ t: 'hello' });
    await world.until(peer, () => peer.of('welcome').length > 0);
    if (peer.of('welcome').length > 0) return { isIn: true, how: `let in ${passed()}` };
    const why = peer.refused ?? peer.closed?.code ?? 'nothing';
    if (performance.now() - beganAt > ms)
      return { isIn: false, how: `not let in: ${why}, ${tries} tries, ${passed()}` };
    peer.drop();
    await sleep(250);
  }
}

/** What nobody is kept from by the limit of an address alone. On an edge of its own: who comes meanwhile waits. */
const halfOpenFromMany: Attack = {
  name: 'half-open-from-20-addresses',
  control: 'sink',
  needs: 'spare-edge',
  async run(world) {
    const [count, helloMs] = [2000, 12_000];
    const from = Array.from({ length: 20 }, (_, n) => `127.0.0.${100 + n}`);
    const url = world.extra('spare-edge').url.replace('localhost', '127.0.0.1');
    const half = await openHalf(world, url, count, from);
    await sleep(2000);
    const stayed = count - half.closed();
    const { isIn, how } = await attachWithin(world, url, 'patient', world.isSink ? 0 : helloMs);
    half.end();
    return {
      sent: `${count} connections from ${from.length} addresses to an edge that send half a request line`,
      answered: `${stayed} stayed; an innocent client was ${how}`,
      isRefused: stayed > 0 && stayed <= fairUse.maxPending && isIn,
    };
  },
};

const fileLimit: Attack = {
  name: 'half-open-to-the-file-limit',
  once: 'an edge ended: no file was left for its statistics, which threw in a timer',
  control: 'sink',
  needs: 'few-files-edge',
  async run(world) {
    const { url } = world.extra('few-files-edge');
    const count = 1200;
    const closed = await halfOpen(world, url, count, count, 3000);
    const answer = await world.ask(`${url.replace('ws:', 'http:').replace(/\/ws$/, '')}/healthz`, {
      localAddress: '127.0.0.67',
    });
    return {
      sent: `${count} half-open connections to an edge that may have 400 files`,
      answered: `${closed} were closed; /healthz afterwards ${answer.status}`,
      isRefused: answer.status === 200,
    };
  },
};

/** Sends one byte of a header at a time; says after how long it was cut off, or undefined. */
function drip(world: World, url: string, forMs: number): Promise<number | undefined> {
  const socket = world.tcp(url);
  const beganAt = performance.now();
  socket.on('connect', () => socket.write('GET /ws HTTP/1.1\r\nHost: x\r\n'));
  const timer = setInterval(() => socket.write('x'), 500);
  return new Promise((resolve) => {
    const end = setTimeout(() => socket.destroy(), forMs);
    socket.on('close', () => {
      clearInterval(timer);
      clearTimeout(end);
      const tookMs = performance.now() - beganAt;
      resolve(tookMs < forMs - 100 ? tookMs : undefined);
    });
  });
}

async function slowloris(world: World, url: string, withinMs: number): Promise<Seen> {
  const count = 50;
  const took = await Promise.all(
    Array.from({ length: count }, () => drip(world, url, world.isSink ? 3000 : withinMs + 3000)),
  );
  const cut = took.filter((ms) => ms !== undefined);
  return {
    sent: `${count} connections that send a byte of a header every 0.5 s`,
    answered: `${cut.length} were cut off, after ${(Math.max(0, ...cut) / 1000).toFixed(1)} s at most`,
    isRefused: cut.length === count && Math.max(...cut) <= withinMs,
  };
}

const slowEdge: Attack = {
  name: 'slowloris-edge',
  control: 'sink',
  run: (world) => slowloris(world, edgeUrl(world), 14_000),
};

const slowGateway: Attack = {
  name: 'slowloris-gateway',
  control: 'sink',
  run: (world) => slowloris(world, world.at.gateway, 12_000),
};

const silent: Attack = {
  name: 'no-hello',
  control: 'sink',
  async run(world) {
    const peers = [];
    for (let n = 0; n < 10; n++) peers.push(world.dial(await world.place(world.token(`silent-${n}`))));
    await Promise.all(peers.map((peer) => world.until(peer, () => peer.closed !== undefined, 14_000)));
    const codes = peers.map(({ closed }) => closed?.code ?? 'open');
    return {
      sent: '10 sockets that never say hello',
      answered: `closed ${[...new Set(codes)].join(', ')}`,
      isRefused: codes.length > 0 && codes.every((code) => code === 4002),
    };
  },
};

const fragments: Attack = {
  name: 'unfinished-fragments',
  once: 'each kept 1 MB in the edge, for as long as its socket was open',
  control: 'sink',
  maxGrowthMib: 40,
  async run(world) {
    const count = 60;
    const peers = [];
    for (let n = 0; n < count; n++) peers.push(await world.attach(`fragment-${n}`));
    for (const peer of peers) for (let n = 0; n < 16; n++) peer.sendUnfinished('x'.repeat(65_000));
    const [last] = peers.slice(-1);
    if (last !== undefined) await world.until(last, () => last.closed !== undefined, 8000);
    await sleep(500);
    const closed = peers.filter(({ closed }) => closed !== undefined).length;
    return {
      sent: `${count} sockets with 1,040,000 bytes of a message that does not end`,
      answered: `${closed} were closed`,
      isRefused: closed === count,
    };
  },
};

export const socketAttacks: readonly Attack[] = [
  halfOpenEdge,
  halfOpenGateway,
  halfOpenFromMany,
  fileLimit,
  slowEdge,
  slowGateway,
  silent,
  fragments,
];
