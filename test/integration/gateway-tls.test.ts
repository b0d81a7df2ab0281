import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, get } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { CertificateFolder } from '@evenkeel/local';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startGateway } from './gateway-fixture.js';

/** Asks by a connection of its own or by that of `agent`; whose certificate it has, and what is answered. */
async function ask(url: string, folder: CertificateFolder, agent?: Agent): Promise<[number, string]> {
  const request = get(`${url}/gateway?user=alice`, { ca: folder.authority.cert, ...(agent && { agent }) });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const { subject } = (response.socket as TLSSocket).getPeerCertificate();
  response.resume();
  await once(response, 'end');
  return [response.statusCode ?? 0, String(subject.CN)];
}

function folderWith(name: string): CertificateFolder {
  const folder = new CertificateFolder();
  onTestFinished(() => folder.remove());
  folder.serve(name);
  return folder;
}

const settings = ({ certFile, keyFile }: CertificateFolder) => ({
  EVENKEEL_TLS_CERT_FILE: certFile,
  EVENKEEL_TLS_KEY_FILE: keyFile,
});

it('a gateway with a certificate speaks https, and exchanges it while it runs; who is connected stays', async () => {
  const folder = folderWith('one');
  const { url, lines, edges, member } = await startGateway(settings(folder));
  await edges.report({ e1: {} });
  const secure = url.replace('http:', 'https:');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  expect(await ask(secure, folder, agent)).toEqual([200, 'one']);

  folder.serve('two');
  await vi.waitUntil(() => lines.some((line) => line.includes('new certificate in use')), {
    timeout: 20_000,
  });
  expect(await ask(secure, folder)).toEqual([200, 'two']);
  expect(await ask(secure, folder, agent)).toEqual([200, 'one']);

  folder.put({ cert: 'nonsense', key: 'nonsense' });
  member.reload();
  await vi.waitUntil(() => lines.some((line) => line.includes('new certificate refused')), {
    timeout: 20_000,
  });
  expect(await ask(secure, folder)).toEqual([200, 'two']);
});

it('a gateway listens on IPv6', async () => {
  const folder = folderWith('six');
  const { url, edges } = await startGateway({ ...settings(folder), EVENKEEL_HOST: '[::1]' });
  await edges.report({ e1: {} });
  expect(await ask(url.replace('http://127.0.0.1', 'https://[::1]'), folder)).toEqual([200, 'six']);
});
