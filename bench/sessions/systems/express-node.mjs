// A node with express-session in Redis and `ws`, messages between nodes by Redis publish and subscribe.
import { createServer } from 'node:http';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';
import { WebSocketServer } from 'ws';

const { PORT, REDIS_URL, NODE } = process.env;
const redis = createClient({ url: REDIS_URL });
const subscriber = redis.duplicate();
await Promise.all([redis.connect(), subscriber.connect()]);

const sessions = session({
  store: new RedisStore({ client: redis }),
  secret: 'compare',
  resave: false,
  saveUninitialized: false,
});
const app = express();
app.use(sessions);
app.post('/login', (request, response) => {
  request.session.user = request.query.user;
  response.json({ session: request.sessionID });
});
app.get('/send', async ({ query }, response) => {
  await Promise.all(query.users.split(',').map((user) => redis.publish(`user.${user}`, String(query.n))));
  response.end();
});

/** The sockets that this node holds, by user. */
const sockets = new Map();
await subscriber.pSubscribe('user.*', (text, channel) => {
  for (const socket of sockets.get(channel.slice('user.'.length)) ?? [])
    socket.send(JSON.stringify({ tick: Number(text) }));
});

const server = createServer(app);
const webSockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket, head) => {
  sessions(request, {}, () => {
    const { user } = request.session;
    if (user === undefined) {
      socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const held = sockets.get(user) ?? new Set();
      sockets.set(user, held.add(webSocket));
      webSocket.on('close', () => held.delete(webSocket));
      webSocket.on('message', (text) => {
        const { keep, id } = JSON.parse(text);
        request.session.reload(() => {
          if (keep !== undefined) request.session.kept = keep;
          request.session.save(() =>
            webSocket.send(JSON.stringify({ id, kept: request.session.kept ?? null })),
          );
        });
      });
      webSocket.send(JSON.stringify({ session: request.sessionID, node: NODE }));
    });
  });
});
server.listen(Number(PORT), '127.0.0.1');
process.on('SIGTERM', () => {
  for (const webSocket of webSockets.clients) webSocket.close(1012);
  server.close(() => process.exit(0));
  setTimeout(() => process.exit(0), 2_000).unref();
});
