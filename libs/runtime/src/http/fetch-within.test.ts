import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { fetchWithin } from './fetch-within.js';

async function serving(
  answer: (response: ServerResponse) => void,
): Promise<{ url: string; whenCut: Promise<unknown> }> {
  let cut: (value: unknown) => void = () => {};
  const whenCut = new Promise((resolve) => {
    cut = resolve;
  });
  const server = createServer((_, response) => {
    response.on('close', cut);
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, whenCut };
}

const limits = { timeoutMs: 200, maxBytes: 1_000 };

it('answers with the whole body', async () => {
  const { url } = await serving((response) => response.writeHead(201).end('{"a":1}'));
  const { response, body } = await fetchWithin(url, {}, { ...limits, timeoutMs: 10_000 });
  expect([response.status, body?.toString()]).toEqual([201, '{"a":1}']);
});

it('ends, and its connection with it, where an answer begins and does not end', async () => {
  const { url, whenCut } = await serving((response) => response.writeHead(200).write('{"keys": ['));
  await expect(fetchWithin(url, {}, limits)).rejects.toMatchObject({ name: 'TimeoutError' });
  await whenCut;
});

it('ends where none begins', async () => {
  const { url, whenCut } = await serving(() => {});
  await expect(fetchWithin(url, {}, limits)).rejects.toMatchObject({ name: 'TimeoutError' });
  await whenCut;
});

it('reads no more of an answer that is too long', async () => {
  const { url, whenCut } = await serving((response) => response.writeHead(200).write('x'.repeat(2_000)));
  const { body } = await fetchWithin(url, {}, { ...limits, timeoutMs: 10_000 });
  expect(body).toBeUndefined();
  await whenCut;
});

it('passes on what keeps it from asking', async () => {
  await expect(fetchWithin('http://127.0.0.1:1/', {}, limits)).rejects.toThrow('fetch failed');
});
