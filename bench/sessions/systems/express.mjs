import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import WebSocket from 'ws';
import { startFront, startNodes, startRedis } from './processes.mjs';

const modules = join(import.meta.dirname, '..', 'node_modules');
const versionOf = (name) => JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')).version;

/** express-session with connect-redis, and `ws`, on two nodes. */
export async function startExpress() {
  const redis = await startRedis();
  const env = { REDIS_URL: redis.url };
  const nodes = await startNodes('express-node.mjs', env);
  const front = await startFront(nodes);
  const address = `127.0.0.1:${front.port}`;
  const clients = [];
  return {
    name: 'express-session, connect-redis, ws',
    versions: Object.fromEntries(
      ['express-session', 'connect-redis', 'ws'].map((name) => [name, versionOf(name)]),
    ),
    settings:
      'messages between nodes by Redis PUBLISH; clients come back after 0.5 to 1.5 s, as those of Socket.IO',
    beside: 'Redis',
    async connect(user, on) {
      const login = await fetch(`http://${address}/login?user=${user}`, { method: 'POST' });
      const { session } = await login.json();
      const cookie = login.headers.getSetCookie()[0].split(';')[0];
      const client = new Comer(`ws://${address}/`, cookie, session, on);
      clients.push(client);
      await client.opened;
      return {
        isOnFirst: client.node === '1',
        keep: (value) => client.ask({ keep: value }),
        kept: () => client.ask({}),
      };
    },
    send: (users, n) => fetch(`http://127.0.0.1:${nodes[1].port}/send?n=${n}&users=${users}`),
    async restart(signal) {
      await nodes[0].stop(signal);
      return () => nodes[0].start();
    },
    async stop() {
      for (const client of clients) client.close();
      front.stop();
      for (const node of nodes) await node.stop('SIGKILL');
      await redis.stop();
    },
  };
}

/** A WebSocket that comes back, with its cookie. */
class Comer {
  #asked = new Map();
  #isClosed = false;
  #isBack = false;

  constructor(url, cookie, session, on) {
    Object.assign(this, { url, cookie, session, on });
    this.opened = new Promise((resolve) => {
      this.resolve = resolve;
    });
    this.#dial();
  }

  #dial() {
    const socket = new WebSocket(this.url, { headers: { cookie: this.cookie } });
    this.socket = socket;
    let isOpen = false;
    socket.on('message', (text) => {
      const { tick, session, node, id, kept } = JSON.parse(text);
      if (tick !== undefined) this.on.message(tick);
      else if (session !== undefined) {
        isOpen = true;
        this.node = node;
        if (this.#isBack) this.on.back(session === this.session);
        this.#isBack = true;
        this.resolve();
      } else this.#asked.get(id)?.(kept);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#isClosed) return;
      if (isOpen) this.on.disconnected();
      setTimeout(() => this.#isClosed || this.#dial(), 500 + Math.random() * 1_000);
    });
  }

  ask(question) {
    return new Promise((resolve) => {
      const id = this.#asked.size + 1;
      this.#asked.set(id, resolve);
      this.socket.send(JSON.stringify({ ...question, id }));
    });
  }

  close() {
    this.#isClosed = true;
    this.socket.terminate();
  }
}
