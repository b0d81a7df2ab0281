// Processes, ports and a front: what the systems beside Evenkeel are run with.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { freePort } from '@evenkeel/local';

const here = import.meta.dirname;

/** A private Redis that keeps nothing on disk. */
export async function startRedis() {
  const port = await freePort();
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    { stdio: 'ignore' },
  );
  await untilOpen(port);
  return { url: `redis://127.0.0.1:${port}`, stop: () => ended(child, 'SIGTERM') };
}

/** Two nodes of a system, 1 and 2. */
export async function startNodes(program, env) {
  const nodes = [];
  for (const NODE of ['1', '2']) {
    const node = new Node(program, { ...env, NODE }, await freePort());
    await node.start();
    nodes.push(node);
  }
  return nodes;
}

/** One server process of a system: `program` listens on the port that it is given. */
class Node {
  #child;

  constructor(program, env, port) {
    Object.assign(this, { program, env, port });
  }

  async start() {
    const env = { ...process.env, ...this.env, PORT: String(this.port) };
    this.#child = spawn(process.execPath, [join(here, this.program)], {
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    await untilOpen(this.port);
  }

  stop(signal = 'SIGTERM') {
    return ended(this.#child, signal);
  }
}

/**
 * A front as people have one: each new connection goes to the next node that answers. It holds nothing, and is
 * never restarted here.
 */
export async function startFront(nodes) {
  let turn = 0;
  const sockets = new Set();
  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => undefined).on('close', () => sockets.delete(client));
    const dial = (left) => {
      const node = nodes[turn++ % nodes.length];
      const upstream = connect(node.port, '127.0.0.1');
      let isOpen = false;
      upstream.on('connect', () => {
        isOpen = true;
        client.pipe(upstream).pipe(client);
      });
      upstream.on('error', () => (isOpen || left === 0 ? client.destroy() : dial(left - 1)));
      upstream.on('close', () => isOpen && client.destroy());
      client.on('close', () => upstream.destroy());
    };
    dial(nodes.length - 1);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function ended(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 40_000);
  await exit;
  clearTimeout(timer);
}

async function untilOpen(port) {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise((resolve) => {
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    if (Date.now() > deadline) throw new Error(`nothing listens on ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
