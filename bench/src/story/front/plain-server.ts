import { createServer } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { WebSocketServer } from 'ws';

/** A plain WebSocket server as people have it: sends everybody what it is told to, knows its clients alone, and tells its parent how many. */

const [port = 0, agentPort = 0] = process.argv.slice(2).map(Number);
const host = '127.0.0.1';
/** How long its clients are given to close, ms. */
const closeTimeoutMs = 500;

const agent = (socket: Socket): void => {
  // HAProxy may be gone before it has read all.
  socket.on('error', () => undefined);
  socket.end('up 100%\n');
};

let isLeaving = false;
const http = createServer((_request, response) => {
  response.writeHead(isLeaving ? 503 : 200).end();
});
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
sockets.on('connection', (socket) => {
  socket.on('error', () => undefined);
});
if (agentPort > 0) createTcpServer(agent).listen(agentPort, host);
http.listen(port, host, () => process.send?.({ clients: 0 }));

process.on('message', (event: object) => {
  const text = JSON.stringify(event);
  for (const socket of sockets.clients) socket.send(text);
  process.send?.({ clients: sockets.clients.size });
});
process.on('SIGTERM', () => {
  isLeaving = true;
  for (const socket of sockets.clients) socket.close(1001, 'going away');
  setTimeout(() => process.exit(0), closeTimeoutMs);
});
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
