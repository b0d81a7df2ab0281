import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type SessionStorageLike, type Status } from '@evenkeel/client';
import { eventually } from '@evenkeel/testkit';
import WebSocket, { WebSocketServer } from 'ws';
import type { Case, Scene, Seen } from './case.js';
import type { Said } from './sleeper.js';

const twoClients: Case = {
  name: 'client-two-clients-swap-session',
  right: 'two clients of a page find their own sessions again after a reload, with what came meanwhile',
  kind: 'state found under a name that others have too',
  async run({ gateway, amqp }) {
    const map = new Map<string, string>();
    const storage: SessionStorageLike = {
      getItem: (key) => map.get(key) ?? null,
      setItem: (key, value) => void map.set(key, value),
      removeItem: (key) => void map.delete(key),
    };
    const leave = new Set<() => void>();
    const page = globalThis as { addEventListener?: unknown };
    page.addEventListener = (type: string, fn: () => void) => type === 'pagehide' && leave.add(fn);
    const users = ['page-one', 'page-two'];
    const got: string[] = [];
    const load = async () => {
      const clients = users.map((user) => connect({ gateway, WebSocket, user, storage }));
      for (const [i, client] of clients.entries())
        client.on('n', ({ data }) => got.push(`${users[i]} ${data}`));
      await Promise.all(clients.map((client) => client.ready()));
      return clients;
    };
    try {
      const before = await load();
      const sessions = before.map(({ session }) => session);
      for (const fn of leave) fn();
      leave.clear();
      for (const user of users) await amqp.publish({ key: `user.${user}.n`, body: '1' });
      const after = await load();
      await eventually('both have come', () => got.length >= users.length, 5_000).catch(() => {});
      const isOwn = after.map(({ session }, i) => session === sessions[i]);
      await Promise.all([...before, ...after].map((client) => client.close()));
      const isRight = isOwn.every(Boolean) && got.sort().join() === users.map((user) => `${user} 1`).join();
      return { isRight, saw: `sessions found again: ${isOwn}; events: ${got}` };
    } finally {
      delete page.addEventListener;
    }
  },
};

/** The type, and the reason or the error's code. */
const told = (status: Status): string => {
  const { type, reason, error } = status as { type: string; reason?: string; error?: { code: string } };
  return [type, error?.code ?? reason].filter(Boolean).join(' ');
};

const clockBack: Case = {
  name: 'client-clock-back-closes',
  right: 'a clock that is set by an hour, back or forth, during an outage: back in the session, no gap',
  kind: 'a duration measured by a clock that people set',
  async run({ gateway, amqp }) {
    const now = Date.now;
    const saw: string[] = [];
    for (const minutes of [-60, 60]) {
      const sockets: WebSocket[] = [];
      class Kept extends WebSocket {
        constructor(...given: ConstructorParameters<typeof WebSocket>) {
          super(...given);
          sockets.push(this);
        }
      }
      const backoff = { minMs: 900, maxMs: 900 };
      const client = connect({ gateway, WebSocket: Kept, user: 'clock', storage: false, backoff });
      await client.ready();
      const statuses: string[] = [];
      client.onStatus((status) => statuses.push(told(status)));
      let events = 0;
      client.on('n', () => events++);
      sockets[0]?.terminate();
      await eventually('the loss is noticed', () => statuses.length > 0);
      try {
        Date.now = () => now() + minutes * 60_000;
        const isOver = () => statuses.some((each) => /^(connected|closed)/.test(each));
        await eventually('it is back', isOver, 10_000).catch(() => {});
        // A gap would come before it.
        await amqp.publish({ key: 'user.clock.n', body: '1' });
        await eventually('an event comes', () => events > 0, 5_000).catch(() => {});
      } finally {
        Date.now = now;
      }
      saw.push(...statuses);
      await client.close();
    }
    const isRight =
      saw.filter((each) => each === 'connected').length === 2 &&
      !saw.some((each) => /^(gap|closed \w)/.test(each));
    return { isRight, saw: saw.join(', ') };
  },
};

/** Whether the silence of an edge is noticed in time; it says nothing after its welcome. */
async function noticesSilence(disturb: () => void): Promise<boolean> {
  const edge = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'evenkeel.v1' });
  await once(edge, 'listening');
  const welcome = { t: 'welcome', session: 's', node: 'n', resumed: false, heartbeatMs: 300, window: 64 };
  edge.on('connection', (socket) => socket.once('message', () => socket.send(JSON.stringify(welcome))));
  const url = `ws://127.0.0.1:${(edge.address() as AddressInfo).port}`;
  const placement = async () => ({ url, ticket: 't', node: 'n', session: 's', expiresInMs: 10_000 });
  const client = connect({ placement, WebSocket, storage: false });
  try {
    await client.ready();
    let isNoticed = false;
    client.onStatus(({ type }) => {
      if (type === 'disconnected') isNoticed = true;
    });
    disturb();
    // Not by timers of ours: they may be late as well.
    for (let i = 0; i < 400 && !isNoticed; i++) await new Promise((resolve) => later(resolve, 25));
    return isNoticed;
  } finally {
    await client.close();
    for (const socket of edge.clients) socket.terminate();
    edge.close();
  }
}
const later = globalThis.setTimeout;

const deadSocket: Case = {
  name: 'client-dead-socket-unnoticed',
  right: 'a silent edge is noticed, also when the clock is set back and when every timer comes late',
  kind: 'a timer that is late taken for a machine that slept',
  async run() {
    const now = Date.now;
    const disturbances: Record<string, () => void> = {
      plain: () => {},
      'clock back a minute': () => {
        Date.now = () => now() - 60_000;
      },
      'timers late': () => {
        const late = (fn: () => void, ms = 0) => later(fn, ms + 1_500);
        globalThis.setTimeout = late as typeof setTimeout;
      },
    };
    const saw: string[] = [];
    for (const [name, disturb] of Object.entries(disturbances)) {
      try {
        saw.push(`${name}: ${(await noticesSilence(disturb)) ? 'noticed' : 'unnoticed'}`);
      } finally {
        Date.now = now;
        globalThis.setTimeout = later;
      }
    }
    return { isRight: saw.every((each) => each.endsWith(' noticed')), saw: saw.join(', ') };
  },
};

/** A way to an edge that can go deaf, as that of a laptop that is shut. */
async function startWay(): Promise<{
  url: string;
  to: URL | undefined;
  isDeaf: boolean;
  reset(): void;
  close(): void;
}> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    if (!way.to) {
      near.destroy();
      return;
    }
    const far = connectTcp(Number(way.to.port), way.to.hostname);
    sockets.add(near);
    near.on('data', (bytes) => way.isDeaf || far.write(bytes));
    far.on('data', (bytes) => way.isDeaf || near.write(bytes));
    for (const socket of [near, far])
      socket
        .on('error', () => {})
        .on('close', () => {
          near.destroy();
          far.destroy();
        });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const way = {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    to: undefined as URL | undefined,
    isDeaf: false,
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    close() {
      this.reset();
      server.close();
    },
  };
  return way;
}

const sleep: Case = {
  name: 'client-sleep-silent-gap',
  right: 'a machine that sleeps a little longer than its session lives: the three events, or a gap',
  kind: 'time away counted from when it was noticed',
  async run({ gateway, amqp, lifetimeMs }: Scene): Promise<Seen> {
    const way = await startWay();
    const child = fork(join(import.meta.dirname, 'sleeper.js'), [gateway, 'sleeper', way.url]);
    const said: string[] = [];
    child.on('message', (message: Said) => {
      if (message.edge !== undefined) way.to = new URL(message.edge);
      if (message.status !== undefined) said.push(message.status);
    });
    try {
      await eventually('it is connected', () => said.includes('connected'), 20_000);
      way.isDeaf = true;
      child.kill('SIGSTOP');
      for (const n of [1, 2, 3]) await amqp.publish({ key: 'user.sleeper.n', body: String(n) });
      // What waits has expired; the edge has noticed the loss later than it happened, and so keeps the queue for longer.
      await delay(lifetimeMs + 2_000);
      way.reset();
      way.isDeaf = false;
      const before = said.length;
      child.kill('SIGCONT');
      const isBack = () => said.slice(before).includes('connected');
      await eventually('it is back', isBack, 20_000).catch(() => {});
      const isTold = () =>
        said.some((each) => each.startsWith('gap')) ||
        said.filter((each) => each.startsWith('event')).length === 3;
      await eventually('all has come, or a gap', isTold, 5_000).catch(() => {});
      return { isRight: isTold(), saw: said.join(', ') };
    } finally {
      child.kill('SIGKILL');
      way.close();
    }
  },
};

export const clientPageCases: readonly Case[] = [twoClients, clockBack, deadSocket, sleep];
