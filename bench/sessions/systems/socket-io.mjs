import { createRequire } from 'node:module';
import { io } from 'socket.io-client';
import { startFront, startNodes, startRedis } from './processes.mjs';

const versionOf = (name) => createRequire(import.meta.url)(`${name}/package.json`).version;

/** Socket.IO on two nodes with Redis; `adapter` is `redis` or `streams`. */
export async function startSocketIo(adapter) {
  const redis = await startRedis();
  const env = { REDIS_URL: redis.url, ADAPTER: adapter };
  const nodes = await startNodes('socket-io-node.mjs', env);
  const front = await startFront(nodes);
  const clients = [];
  return {
    name: adapter === 'streams' ? 'Socket.IO, Redis streams adapter' : 'Socket.IO, Redis adapter',
    versions: {
      'socket.io': versionOf('socket.io'),
      ...(adapter === 'streams'
        ? { '@socket.io/redis-streams-adapter': versionOf('@socket.io/redis-streams-adapter') }
        : { '@socket.io/redis-adapter': versionOf('@socket.io/redis-adapter') }),
    },
    settings: 'connectionStateRecovery with its defaults; clients use WebSocket alone',
    beside: 'Redis',
    async connect(user, on) {
      // Only WebSocket: with polling the front would have to be sticky.
      const socket = io(`http://127.0.0.1:${front.port}`, {
        auth: { user },
        transports: ['websocket'],
        forceNew: true,
      });
      clients.push(socket);
      socket.on('tick', on.message);
      socket.on('disconnect', on.disconnected);
      let session;
      socket.on('connect', () => {
        if (session !== undefined) on.back(socket.recovered && socket.id === session);
        if (session !== undefined && !socket.recovered) on.told();
        session ??= socket.id;
      });
      await new Promise((resolve) => socket.once('connect', resolve));
      return {
        isOnFirst: (await socket.emitWithAck('node')) === '1',
        keep: (value) => socket.emitWithAck('keep', value),
        kept: () => socket.timeout(5_000).emitWithAck('kept'),
      };
    },
    /** From the second node, to each of the users. */
    send: (users, n) => fetch(`http://127.0.0.1:${nodes[1].port}/?n=${n}&users=${users}`),
    async restart(signal) {
      await nodes[0].stop(signal);
      return () => nodes[0].start();
    },
    async stop() {
      for (const socket of clients) socket.close();
      front.stop();
      for (const node of nodes) await node.stop('SIGKILL');
      await redis.stop();
    },
  };
}
