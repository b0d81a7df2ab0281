import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Case } from './case.js';
import type { MeshUnderTest } from './mesh.js';

/** A gateway where edge-1 carries so much more that only who has tried edge-2 comes there. */
async function unevenGateway(): Promise<string> {
  const server = createServer((request, response) => {
    const tried = new URL(request.url ?? '/', 'http://gateway').searchParams.get('tried') ?? '';
    const node = tried.split(',').includes('edge-2') ? 'edge-1' : 'edge-2';
    response.end(JSON.stringify({ url: 'ws://127.0.0.1:1/ws', node, session: 's', ticket: 't' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a place on a certain edge', () => {
  it.each([
    { isNot: 'edge-2' },
    { isNot: 'edge-2', from: 'edge-1' },
    { node: 'edge-1' },
    { node: 'edge-2', tried: 'edge-2' },
  ])('is found however uneven the load is: %j', async (wanted) => {
    const conformance = new Case({ gateway: await unevenGateway(), run: 'r' } as MeshUnderTest);
    const { node } = await conformance.place(wanted);
    expect(node).toBe(wanted.node ?? 'edge-1');
  });
});
