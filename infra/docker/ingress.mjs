// One door to all edges of a compose project. A container cannot know the port it is published on, so
// every edge gets a path instead: /edge/<node>/ws leads to the container of that host name. It works on
// the bytes after the request line; WebSockets pass through untouched.
// On real hosts clients dial edges directly, or through a load balancer that knows each by a name.
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';

const port = Number(process.env.EVENKEEL_PORT ?? 8100);
const edgePort = 8101;
const maxHeadBytes = 16_384;
const headTimeoutMs = 10_000;
const requestLine = /^GET \/edge\/([A-Za-z0-9-]{1,64})\/ws(\?\S*)? HTTP\/1\.1\r\n/;

const server = createServer((client) => {
  let head = Buffer.alloc(0);
  client.setNoDelay(true);
  client.setTimeout(headTimeoutMs, () => client.destroy());
  client.on('error', () => client.destroy());
  client.on('data', function onData(chunk) {
    head = Buffer.concat([head, chunk]);
    if (!head.includes('\r\n') && head.length < maxHeadBytes) return;
    client.off('data', onData);
    client.pause();
    const [line, node, query = ''] = requestLine.exec(head.toString('latin1', 0, maxHeadBytes)) ?? [];
    if (line === undefined) return refuse(client, '404 Not Found');
    client.setTimeout(0);
    const rest = head.subarray(Buffer.byteLength(line, 'latin1'));
    forward(client, node, Buffer.concat([Buffer.from(`GET /ws${query} HTTP/1.1\r\n`, 'latin1'), rest]));
  });
});

function forward(client, node, bytes) {
  const edge = connect({ host: node, port: edgePort, noDelay: true });
  let isConnected = false;
  edge.on('connect', () => {
    isConnected = true;
    edge.write(bytes);
    client.pipe(edge);
    edge.pipe(client);
  });
  edge.on('error', () => (isConnected ? client.destroy() : refuse(client, '502 Bad Gateway')));
  edge.on('close', () => client.destroy());
  client.on('close', () => edge.destroy());
}

function refuse(client, status) {
  client.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}

server.listen(port);
const ops = createHttpServer((request, response) => {
  response.statusCode = request.url === '/readyz' || request.url === '/healthz' ? 200 : 404;
  response.end();
});
ops.listen(Number(process.env.EVENKEEL_OPS_PORT ?? 9100), '127.0.0.1');
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
