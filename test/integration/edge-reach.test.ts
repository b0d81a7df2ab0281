import { readFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { freePort } from '@evenkeel/local';
import { RawClient } from '@evenkeel/testkit';
import { TicketSigner } from '@evenkeel/ticket';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';
import { secret } from '../support/edge-session.js';

let mesh: EdgeMesh;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
});
afterAll(() => mesh.close());
afterEach(() => void vi.unstubAllEnvs());

interface Reported {
  state: string;
  url: string;
  reachable?: boolean;
  cordonedBy?: string;
  connections: number;
}

const status = async (edge: EdgeUnderTest): Promise<Reported> =>
  (await (await fetch(`${edge.member.opsUrl}/status`)).json()) as Reported;

const reports = (edge: EdgeUnderTest, expected: Partial<Reported>) =>
  vi.waitFor(async () => expect(await status(edge)).toMatchObject(expected), {
    timeout: 15_000,
    interval: 50,
  });

const errors = (edge: EdgeUnderTest) =>
  edge.lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error');

/** What is in front of an edge, until the test ends. */
async function front(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
}

const leadsTo = (port: number) => (client: import('node:net').Socket) => {
  const edge = connect(port, '127.0.0.1');
  for (const socket of [client, edge]) socket.on('error', () => {});
  client.pipe(edge).pipe(client);
};

describe('an edge whose public URL leads elsewhere', () => {
  it('stays cordoned and says once what it met, if that is another edge, which counts nothing', async () => {
    const other = await mesh.edge('reach-other');
    const edge = await mesh.edge('reach-wrong', { PUBLIC_URL: other.url });
    await reports(edge, { state: 'cordoned', cordonedBy: 'unreachable', reachable: false });
    // It has looked several times by then.
    await mesh.command(edge.node, { command: 'uncordon' });
    await reports(edge, { state: 'cordoned', cordonedBy: 'unreachable' });
    expect(errors(edge)).toMatchObject([
      {
        dialled: other.url,
        met: 'the edge reach-other',
        hint: expect.stringContaining('EVENKEEL_REACHABILITY_URL'),
      },
    ]);
    expect((await fetch(`${edge.member.opsUrl}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${edge.member.opsUrl}/metrics`)).text()).toMatch(
      /^evenkeel_unreachable\{.*\} 1$/m,
    );

    expect(await status(other)).toMatchObject({ state: 'active', reachable: true, connections: 0 });
    const metrics = await (await fetch(`${other.member.opsUrl}/metrics`)).text();
    // Under whatever reason.
    for (const name of ['handshakes', 'tickets_refused', 'upgrades_refused'])
      expect(metrics.match(new RegExp(`^evenkeel_${name}_total\\{.*\\} (?!0$).*$`, 'm'))).toBeNull();
    expect(metrics).toContain('evenkeel_tickets_refused_total{');
  });

  it('is active as soon as what it dials leads to it', async () => {
    const [port, publicPort] = [await freePort(), await freePort()];
    const url = `ws://127.0.0.1:${publicPort}/e/{node}/ws`;
    const edge = await mesh.edge('reach-late', { PORT: String(port), PUBLIC_URL: url });
    await reports(edge, { state: 'cordoned', reachable: false });
    await front(createServer(leadsTo(port)), publicPort);
    await reports(edge, {
      state: 'active',
      reachable: true,
      url: `ws://127.0.0.1:${publicPort}/e/reach-late/ws`,
    });
    expect(await (await fetch(`${edge.member.opsUrl}/status`)).json()).not.toHaveProperty('cordonedBy');
    const client = await new SessionUnderTest('late').attach(edge);
    await client.close();
  });

  it('stays cordoned by an operator when it turns out to be reachable', async () => {
    const [port, publicPort] = [await freePort(), await freePort()];
    const url = `ws://127.0.0.1:${publicPort}/ws`;
    const edge = await mesh.edge('reach-kept', { PORT: String(port), PUBLIC_URL: url });
    await reports(edge, { reachable: false });
    await mesh.command(edge.node, { command: 'cordon' });
    await front(createServer(leadsTo(port)), publicPort);
    await reports(edge, { state: 'cordoned', cordonedBy: 'operator', reachable: true });
    await mesh.command(edge.node, { command: 'uncordon' });
    await reports(edge, { state: 'active' });
  });

  it('does not look with EVENKEEL_REACHABILITY_URL=off, and looks where that says', async () => {
    const nowhere = `ws://127.0.0.1:${await freePort()}/ws`;
    const off = await mesh.edge('reach-off', { PUBLIC_URL: nowhere, REACHABILITY_URL: 'off' });
    const seen = await status(off);
    expect(seen).toMatchObject({ state: 'active', url: nowhere });
    expect(seen).not.toHaveProperty('reachable');
    const inside = await mesh.edge('reach-inside', {
      PUBLIC_URL: nowhere,
      REACHABILITY_URL: 'ws://127.0.0.1:{port}/{node}',
    });
    expect(await status(inside)).toMatchObject({ state: 'active', url: nowhere, reachable: true });
  });

  it('looks through TLS, and needs to trust the certificate', async () => {
    const tls = join(import.meta.dirname, '..', 'support', 'tls');
    const [cert, key] = ['cert.pem', 'key.pem'].map((file) => readFileSync(join(tls, file)));
    const [port, publicPort] = [await freePort(), await freePort()];
    await front(createTlsServer({ cert, key }, leadsTo(port)), publicPort);
    const settings = { PORT: String(port), PUBLIC_URL: `wss://127.0.0.1:${publicPort}/ws` };
    vi.stubEnv('NODE_EXTRA_CA_CERTS', undefined);
    const stranger = await mesh.edge('reach-untrusted', settings);
    await reports(stranger, { state: 'cordoned', reachable: false });
    await vi.waitFor(() => expect(errors(stranger)).toHaveLength(1), { timeout: 15_000 });
    expect(errors(stranger)).toMatchObject([
      { met: 'DEPTH_ZERO_SELF_SIGNED_CERT', hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') },
    ]);
    await stranger.member.stop();

    vi.stubEnv('NODE_EXTRA_CA_CERTS', join(tls, 'cert.pem'));
    const edge = await mesh.edge('reach-tls', settings);
    expect(await status(edge)).toMatchObject({ state: 'active', reachable: true });
  });
});

it('a probe is told who is there, and is no client: another edge may be asked', async () => {
  const edge = await mesh.edge('reach-asked');
  const { boot } = await edge.stats();
  const probe = new TicketSigner([secret]).issue({
    uid: 'probe',
    sid: 's',
    node: 'somebody-else',
    boot: 'b',
    epoch: 1,
    expiresAt: Date.now() + 30_000,
    isProbe: true,
  });
  for (let n = 0; n < 2; n += 1) {
    const client = await RawClient.open(edge.url, probe, { protocol: undefined });
    expect(await client.closed).toEqual({ code: 1000, reason: `reach-asked.${boot}` });
    expect(client.kinds).toEqual([]);
  }
  expect(await status(edge)).toMatchObject({ connections: 0, sessions: 0 });
});
