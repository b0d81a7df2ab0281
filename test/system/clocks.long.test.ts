import { type Client, connect, type Status } from '@evenkeel/client';
import { sleep } from '@evenkeel/pace';
import { createPublisher } from '@evenkeel/publisher';
import { createOperator } from 'evenkeel';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { range } from '../support/edge.js';
import { HostClocks } from '../support/host-clocks.js';
import { startTestMesh } from '../support/mesh.js';

const steps = [-600_000, -5_000, 20_000, 3_600_000];

/** A client, what it got and what it was told. */
function join(gateway: string, user: string) {
  const client: Client = connect({ gateway, user, WebSocket, storage: false });
  onTestFinished(() => client.close());
  const numbers: number[] = [];
  const statuses: Status[] = [];
  client.on('number', ({ data }) => numbers.push(data as number));
  client.onStatus((status) => statuses.push(status));
  return { client, numbers, statuses };
}

/** Three edges, 30 clients that get ten events a second each, and what has to be right in the end. */
async function underTest() {
  const mesh = await startTestMesh({ edges: 3 });
  const publisher = await createPublisher({ amqpUrl: mesh.amqpUrl, name: 'numbers' });
  onTestFinished(() => publisher.close());
  const operator = await createOperator({ amqpUrl: mesh.amqpUrl });
  onTestFinished(() => operator.close());
  const joined = Array.from({ length: 30 }, (_, i) => join(mesh.gatewayUrl, `u${i}`));
  await Promise.all(joined.map(({ client }) => client.ready()));
  let last = 0;
  const numbers = setInterval(() => {
    last += 1;
    for (let i = 0; i < 30; i += 1) void publisher.toUser(`u${i}`, 'number', last);
  }, 100);
  onTestFinished(() => clearInterval(numbers));

  const drainAndCompare = async () => {
    await operator.drain({ node: 'edge-2' });
    await vi.waitFor(
      async () => {
        const { nodes } = await operator.status();
        expect(nodes.find((n) => n.node === 'edge-2')?.sessions).toBe(0);
      },
      { timeout: 20_000, interval: 250 },
    );
    clearInterval(numbers);
    for (const { numbers, statuses } of joined) {
      await vi.waitFor(() => expect(numbers.at(-1)).toBe(last), 10_000);
      expect(numbers).toEqual(range(1, last));
      const told = statuses.map(({ type }) => type);
      expect(told.filter((type) => type === 'disconnected' || type === 'gap')).toEqual([]);
    }
  };
  return { mesh, drainAndCompare };
}

test('a clock that steps, of whichever process, closes nothing, keeps nobody out and holds up no drain', async () => {
  const clocks = new HostClocks();
  const { mesh, drainAndCompare } = await underTest();
  for (const step of steps)
    for (const name of ['gateway', 'balancer', 'edge-1', 'edge-2']) {
      clocks.set(name, step);
      await sleep(700);
      await join(mesh.gatewayUrl, `late-${name}-${step}`).client.ready();
    }
  await drainAndCompare();
});

test('a process that stands still for 6 s, whichever, closes nothing and holds up no drain', async () => {
  const { mesh, drainAndCompare } = await underTest();
  for (const member of mesh.members) {
    member.pause();
    await sleep(6_000);
    member.resume();
    await sleep(500);
  }
  await drainAndCompare();
});
