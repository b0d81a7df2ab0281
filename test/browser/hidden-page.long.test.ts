import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { BareChromium } from '../support/bare-chromium.js';
import { servePages } from '../support/page-server.js';

const heartbeatMs = 2_000;
/** After this long, timers of a hidden page come once a minute; 5 min by default. */
const throttled = '--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/10';

/** An edge that welcomes, and answers pings until it is told not to. */
async function startEdge() {
  const edge = { url: '', isSilent: false, pings: 0, sockets: new Set<WebSocket>() };
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'evenkeel.v1' });
  await once(server, 'listening');
  onTestFinished(() => server.close());
  edge.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('connection', (socket) => {
    edge.sockets.add(socket);
    socket.on('message', (text) => {
      if (edge.isSilent) return;
      const { t } = JSON.parse(String(text));
      const welcome = { t: 'welcome', session: 's', node: 'n', resumed: false, heartbeatMs, window: 64 };
      if (t === 'hello') socket.send(JSON.stringify(welcome));
      if (t !== 'ping') return;
      edge.pings += 1;
      socket.send('{"t":"pong"}');
    });
  });
  return edge;
}

it('a hidden page whose timers come once a minute notices a dead socket as soon as another', async () => {
  const edge = await startEdge();
  const [browser, origin] = await Promise.all([BareChromium.start(throttled), servePages()]);
  const evaluate = await browser.openPage(`${origin}/plain.html?url=${encodeURIComponent(edge.url)}`);
  await vi.waitFor(() => expect(edge.pings).toBeGreaterThan(0), { timeout: 20_000 });

  await browser.openPage('about:blank');
  await vi.waitFor(async () => expect(await evaluate('document.visibilityState')).toBe('hidden'), 10_000);
  await vi.waitFor(async () => expect(await evaluate('isThrottled()')).toBe(true), {
    timeout: 60_000,
    interval: 500,
  });
  const before = edge.pings;
  await vi.waitFor(() => expect(edge.pings).toBeGreaterThan(before + 2), { timeout: 20_000 });

  edge.isSilent = true;
  // Two heartbeats, the grace of a timer that came late, and what Chromium itself holds a hidden page's timers back.
  await vi.waitFor(async () => expect(await evaluate('lost')).toBe(1), {
    timeout: 2 * heartbeatMs + 2_000 + 4_000,
    interval: 200,
  });
});
