import { connect, type TLSSocket } from 'node:tls';
import { CertificateFolder } from '@evenkeel/local';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';

let mesh: EdgeMesh;
let certificates: CertificateFolder;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  certificates = new CertificateFolder();
});
afterAll(async () => {
  await mesh.close();
  certificates.remove();
});

/** The name of the certificate that a newcomer is shown, who asks for `servername` or for none. */
async function shown(edge: EdgeUnderTest, servername?: string): Promise<string> {
  const { hostname, port } = new URL(edge.url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const options = { host, port: Number(port), ca: certificates.authority.cert };
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const dialled = connect({ ...options, ...(servername === undefined ? {} : { servername }) }, () =>
      resolve(dialled),
    );
    dialled.on('error', reject);
    onTestFinished(() => void dialled.destroy());
  });
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

describe('an edge with a certificate', () => {
  it('has a wss URL by default, finds itself there, and serves sessions', async () => {
    certificates.serve('one');
    const edge = await mesh.edge('tls-a', certificates.settings);
    expect(edge.url).toMatch(/^wss:\/\/127\.0\.0\.1:\d+\/ws$/);
    const session = new SessionUnderTest('secure');
    const client = await session.attach(edge, {}, {}, { ca: certificates.authority.cert });
    await mesh.event(session, 'over TLS');
    expect(await client.frame('event', ({ data }) => data === 'over TLS')).toBeDefined();
    client.close();
  });

  it('exchanges it while it runs, for who names a server and who does not, and who is connected stays', async () => {
    certificates.serve('one');
    const edge = await mesh.edge('tls-b', certificates.settings);
    const { cert: ca } = certificates.authority;
    const [here, topical] = [new SessionUnderTest('stays'), new SessionUnderTest('late')];
    const client = await here.attach(edge, { topics: ['prices'] }, {}, { ca });
    expect([await shown(edge), await shown(edge, 'localhost')]).toEqual(['one', 'one']);

    certificates.serve('two');
    await vi.waitUntil(() => edge.hasLogged('new certificate in use'), { timeout: 20_000, interval: 20 });
    // Both are listened with for a moment.
    await vi.waitUntil(() => edge.hasLogged('old certificate no longer shown'), { timeout: 20_000 });
    expect([await shown(edge), await shown(edge, 'localhost')]).toEqual(['two', 'two']);

    const newcomer = await topical.attach(edge, { topics: ['prices'] }, {}, { ca });
    await mesh.message('prices', 7);
    for (const each of [client, newcomer]) await each.frame('message', ({ data }) => data === 7);
    await mesh.event(here, 'still here');
    expect(await client.frame('event', ({ data }) => data === 'still here')).toBeDefined();
    await vi.waitUntil(async () => (await edge.stats()).connections === 2, { timeout: 10_000 });

    certificates.put({ cert: 'nonsense', key: 'nonsense' });
    edge.member.reload();
    await vi.waitUntil(() => edge.hasLogged('new certificate refused'), { timeout: 20_000 });
    expect(await shown(edge)).toBe('two');
  });

  it('listens on IPv6, and its URL has the address in brackets', async () => {
    certificates.serve('six');
    const edge = await mesh.edge('tls-c', { ...certificates.settings, HOST: '[::1]' });
    expect(edge.url).toMatch(/^wss:\/\/\[::1\]:\d+\/ws$/);
    expect(await shown(edge)).toBe('six');
    const client = await new SessionUnderTest('six').attach(
      edge,
      {},
      {},
      { ca: certificates.authority.cert },
    );
    client.close();
  });
});
