import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { ManagementApi } from './management-api.js';

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://monitor:s3cret@127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** As RabbitMQ 4 says it, in part. */
const overview = {
  rabbitmq_version: '4.1.0',
  cluster_name: 'rabbit@one',
  object_totals: { connections: 9, channels: 80, queues: 120, consumers: 118, exchanges: 18 },
  queue_totals: { messages: 3, messages_ready: 1, messages_unacknowledged: 2 },
  message_stats: { publish: 5, publish_details: { rate: 61.5 }, deliver_get_details: { rate: 60 } },
};
const connections = [
  { user: 'edge', state: 'running' },
  { user: 'console', state: 'running' },
  { user: 'edge', state: 'blocked' },
];
const nodes = [
  {
    name: 'rabbit@one',
    running: true,
    ...{ mem_used: 100, mem_limit: 400, mem_alarm: false },
    ...{ disk_free: 900, disk_free_limit: 50, disk_free_alarm: true },
    ...{ fd_used: 40, fd_total: 1_000, uptime: 5_000 },
  },
];

it('tells how RabbitMQ is, and asks it once for all who ask within 5 s', async () => {
  const asked: string[] = [];
  const url = await serving((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    const path = request.url ?? '';
    if (path.startsWith('/api/queues/my%2Fvhost/mesh.manage')) {
      const name = path.split('/').at(-1);
      return response.end(JSON.stringify({ name, messages: 3, consumers: 1 }));
    }
    if (path.startsWith('/api/queues/')) return response.writeHead(404).end('{}');
    if (path.startsWith('/api/connections')) return response.end(JSON.stringify(connections));
    return response.end(JSON.stringify(path === '/api/nodes' ? nodes : overview));
  });
  let nowMs = 0;
  const api = new ManagementApi(url, 'my/vhost', () => nowMs);
  expect(await api.view()).toMatchObject({
    version: '4.1.0',
    totals: { connections: 9, messagesReady: 1, publishedPerSecond: 61.5 },
    connections: [
      { user: 'console', count: 1, blocked: 0 },
      { user: 'edge', count: 2, blocked: 1 },
    ],
    queues: [
      { name: 'mesh.manage', messages: 3, consumers: 1 },
      { name: 'mesh.manage.dead', messages: 3, consumers: 1 },
    ],
    nodes: [
      { name: 'rabbit@one', isRunning: true, hasMemoryAlarm: false, hasDiskAlarm: true, openFiles: 40 },
    ],
  });
  await api.view();
  const basic = `Basic ${Buffer.from('monitor:s3cret').toString('base64')}`;
  expect(asked.filter((line) => line.endsWith(` ${basic}`))).toHaveLength(6);
  nowMs = 5_000;
  await api.view();
  expect(asked).toHaveLength(12);
});

it.each([
  ['refuses the user', 401, '{}', /EVENKEEL_RABBITMQ_API_URL; give it the tag monitoring/],
  ['fails', 500, 'oops', /answers 500/],
  ['is something else', 200, '<html>', /not that of RabbitMQ/],
  ['says too much', 200, 'x'.repeat(1_100_000), /longer than 1048576 bytes/],
])('where it %s, that is what it says, without the password', async (_how, status, body, message) => {
  const url = await serving((_request, response) => response.writeHead(status).end(body));
  const view = await new ManagementApi(url, '/', () => 0).view();
  expect(view).toEqual({ error: expect.stringMatching(message) });
  expect(JSON.stringify(view)).not.toContain('s3cret');
});

it('follows no redirect, which would take the password elsewhere', async () => {
  const url = await serving((_request, response) =>
    response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
  );
  expect(await new ManagementApi(url, '/', () => 0).view()).toEqual({
    error: expect.stringContaining('does not answer'),
  });
});

it('is not waited for where its answer does not end', async () => {
  const url = await serving((_request, response) => void response.writeHead(200).write('{'));
  expect(await new ManagementApi(url, '/', () => 0).view()).toEqual({
    error: expect.stringContaining('no answer within 3 s'),
  });
});
