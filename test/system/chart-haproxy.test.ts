import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { render } from '@evenkeel/chart';
import { ensurePackages, freePort } from '@evenkeel/local';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

/** An edge or a gateway that says its name, to a request and to a socket, and takes no HTTP/1.0, as an edge does not; its address. */
async function startNamed(name: string): Promise<string> {
  const server = createServer((request, response) => {
    if (request.httpVersion === '1.0') response.statusCode = 505;
    response.end(name);
  });
  new WebSocketServer({ server }).on('connection', (socket) => socket.send(name));
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** HAProxy with this configuration, until the test has finished. */
function startHaproxy(config: string): void {
  const dir = mkdtempSync(join(tmpdir(), 'evenkeel-haproxy-'));
  const file = join(dir, 'haproxy.cfg');
  writeFileSync(file, config);
  const haproxy = spawn('/usr/sbin/haproxy', ['-db', '-f', file], { stdio: 'ignore' });
  onTestFinished(() => {
    haproxy.kill('SIGKILL');
    rmSync(dir, { recursive: true });
  });
}

test("the chart's HAProxy leads each ticket to its edge, others to any edge, and /gateway to the gateways", async () => {
  await ensurePackages(['haproxy'], "for the test of the Helm chart's HAProxy");
  const resources = await render({ set: ['routing=haproxy', 'edge.maxReplicas=3'] });
  let config = resources.find(({ kind }) => kind === 'ConfigMap')?.data?.['haproxy.cfg'] ?? '';
  const edges = [0, 1, 2].map((index) => `mesh-evenkeel-edge-${index}`);
  for (const name of [...edges, 'mesh-evenkeel-gateway']) {
    config = config.replaceAll(
      new RegExp(`${name}[.]live[.]svc[.]cluster[.]local:\\d+`, 'g'),
      await startNamed(name),
    );
  }
  const [port, healthPort] = [await freePort(), await freePort()];
  startHaproxy(
    config
      .replace('bind :8000', `bind 127.0.0.1:${port}`)
      .replace('bind :8001', `bind 127.0.0.1:${healthPort}`)
      // There are no names to look up here.
      .replace('init-addr none', 'init-addr last,libc'),
  );
  const ask = async (at: number, path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${at}${path}`)).text();
  await vi.waitFor(() => ask(healthPort, '/haproxy-healthz'), { timeout: 20_000 });

  for (const name of edges) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?ticket=${name}.claims.signature`);
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(message.toString()).toBe(name);
    socket.terminate();
  }
  await vi.waitFor(async () => expect(edges).toContain(await ask(port, '/ws?ticket=nobody.a.b')), {
    timeout: 20_000,
  });
  expect(await ask(port, `/gateway?user=alice&ticket=${edges[0]}.a.b`)).toBe('mesh-evenkeel-gateway');
});
