// A node of Socket.IO, as its documentation sets it up for several nodes with Redis.
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { createClient } from 'redis';
import { Server } from 'socket.io';

const { PORT, REDIS_URL, ADAPTER, NODE } = process.env;
const redis = createClient({ url: REDIS_URL });
const subscriber = redis.duplicate();
await Promise.all([redis.connect(), subscriber.connect()]);

const server = createServer((request, response) => {
  // Another part of the application, on this node, has something to say to each of the users.
  const { searchParams } = new URL(request.url, 'http://node');
  for (const user of searchParams.get('users').split(','))
    io.to(user).emit('tick', Number(searchParams.get('n')));
  response.end();
});
const io = new Server(server, {
  adapter: ADAPTER === 'streams' ? createStreamsAdapter(redis) : createAdapter(redis, subscriber),
  connectionStateRecovery: {},
});
io.on('connection', (socket) => {
  socket.join(socket.handshake.auth.user);
  socket.on('keep', (value, done) => {
    socket.data.kept = value;
    done();
  });
  socket.on('kept', (answer) => answer(socket.data.kept ?? null));
  socket.on('node', (answer) => answer(NODE));
});
server.listen(Number(PORT), '127.0.0.1');
process.on('SIGTERM', () => io.close(() => process.exit(0)));
