/** What the attacker attacks in the control run: it lets everybody in, takes every byte and does nothing. A process of its own. */

import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { Broker } from '@evenkeel/broker';
import { sinkQueue } from './world.js';

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const welcome = JSON.stringify({ t: 'welcome', session: 's', node: 'sink', window: 64, heartbeatMs: 15_000 });
const headEnd = '\r\n\r\n';

const server = createServer((socket) => {
  let head = '';
  let isOpen = false;
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    if (isOpen) return;
    head += chunk.toString('latin1');
    for (;;) {
      const end = head.indexOf(headEnd);
      if (end < 0) return;
      const one = head.slice(0, end);
      head = head.slice(end + headEnd.length);
      isOpen = /^upgrade: *websocket/im.test(one);
      if (isOpen) return open(socket, one);
      answer(socket);
    }
  });
});

function open(socket: Socket, head: string): void {
  const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1] ?? '';
  const accept = createHash('sha1')
    .update(key + guid)
    .digest('base64');
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    'Sec-WebSocket-Protocol: evenkeel.v1',
  ];
  socket.write(lines.join('\r\n') + headEnd);
  socket.write(Buffer.concat([Buffer.from([0x81, welcome.length]), Buffer.from(welcome)]));
}

function answer(socket: Socket): void {
  const { port } = server.address() as { port: number };
  const url = `ws://127.0.0.1:${port}/ws`;
  const body = JSON.stringify({ url, node: 'sink', ticket: 'a.b.c', session: 's', pass: 'p', resume: 'r' });
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}${headEnd}${body}`);
}

// What is sent over AMQP goes through RabbitMQ to a queue of its own, as durable as a session's.
const broker = await Broker.connect({ url: process.argv[2] ?? '', name: 'attack sink', attempts: 3 });
await broker.topology({ channels: 1 }).declareQueue({ name: sinkQueue, exclusive: false, durable: true });
await broker.consumers({ channels: 1 }).consume(sinkQueue, { onDelivery: (delivery) => delivery.ack() });

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  process.send?.({ port });
});
process.on('disconnect', () => process.exit(0));
