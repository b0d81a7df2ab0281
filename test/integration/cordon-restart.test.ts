import { type Client, connect } from '@evenkeel/client';
import { createOperator } from 'evenkeel';
import { expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { startTestMesh } from '../support/mesh.js';
import { secondGateway } from '../support/second-gateway.js';

/** Clients that come for the first time, one every 50 ms, by each of the gateways in turn. */
class Newcomers {
  readonly #clients: Client[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(gateways: readonly string[], name: string) {
    this.#timer = setInterval(() => {
      const count = this.#clients.length;
      const gateway = gateways[count % gateways.length] ?? '';
      this.#clients.push(connect({ gateway, user: `${name}-${count}`, WebSocket, storage: false }));
    }, 50);
    onTestFinished(() => this.#end());
  }

  /** Resolves when so many more have come. */
  async come(count: number): Promise<void> {
    const end = this.#clients.length + count;
    await vi.waitUntil(() => this.#clients.length >= end, { timeout: 30_000, interval: 50 });
  }

  /** How many have landed on each node, once all have. No more come then, and these leave. */
  async landed(): Promise<Record<string, number>> {
    clearInterval(this.#timer);
    await Promise.all(this.#clients.map((client) => client.ready()));
    const landed: Record<string, number> = {};
    for (const { node = 'none' } of this.#clients) landed[node] = (landed[node] ?? 0) + 1;
    await this.#end();
    return landed;
  }

  async #end(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
  }
}

it('nobody lands on a cordoned edge that is killed and comes back, by whichever gateway, with a balancer and without', async () => {
  const mesh = await startTestMesh({ edges: 2, env: { EVENKEEL_MODE: 'manual' } });
  const [cordoned] = mesh.edges;
  const [balancer] = mesh.balancers;
  if (cordoned === undefined || balancer === undefined) throw new Error('there is no mesh');
  const state = async () =>
    ((await (await fetch(`${cordoned.opsUrl}/status`)).json()) as { state: string }).state;
  const operator = await createOperator({ amqpUrl: mesh.urlFor('operator') });
  onTestFinished(() => operator.close());
  const gateways = [mesh.gatewayUrl];

  await vi.waitUntil(async () => (await operator.status()).nodes.length === 2, { timeout: 20_000 });
  await operator.cordon({ node: 'edge-1' });
  await vi.waitUntil(async () => (await state()) === 'cordoned', { timeout: 10_000 });

  const newcomers = new Newcomers(gateways, 'led');
  await newcomers.come(20);
  await cordoned.kill();
  // One that has never heard the edge before.
  gateways.push((await secondGateway(mesh, { EVENKEEL_AUTH: 'dev' })).url);
  await cordoned.start();
  await newcomers.come(80);
  expect(Object.keys(await newcomers.landed())).toEqual(['edge-2']);
  expect(await state()).toBe('cordoned');

  await balancer.kill();
  const unled = new Newcomers(gateways, 'unled');
  await cordoned.kill();
  await unled.come(20);
  await cordoned.start();
  await unled.come(80);
  expect(Object.keys(await unled.landed())).toEqual(['edge-2']);

  // What the balancer is told once it is back holds as well.
  await balancer.start();
  await vi.waitUntil(async () => (await operator.status()).nodes.length === 2, { timeout: 20_000 });
  await operator.uncordon({ node: 'edge-1' });
  await cordoned.kill();
  await cordoned.start();
  expect(await state()).toBe('active');
  await vi.waitFor(
    async () => {
      const late = new Newcomers(gateways, 'late');
      await late.come(10);
      expect(Object.keys(await late.landed())).toContain('edge-1');
    },
    { timeout: 20_000, interval: 100 },
  );
}, 150_000);
