import { readFileSync } from 'node:fs';
import { type Client, connect, type Status } from '@evenkeel/client';
import { type Mesh, type PrivateBroker, startMesh, startPrivateBroker } from '@evenkeel/local';
import { sleep } from '@evenkeel/pace';
import type { Placement } from '@evenkeel/protocol';
import { createPublisher, type Publisher } from '@evenkeel/publisher';
import { eventually, RawClient, type RawFrame } from '@evenkeel/testkit';
import { createOperator } from 'evenkeel';
import { expect, onTestFinished, test } from 'vitest';
import { metric } from '../support/metric.js';
import { startTestBroker } from '../support/private-broker.js';

const sockets = 30;
/** An alarm, longer than any time limit that a client meets but for the longest. */
const alarmMs = 20_000;
const frozenMs = 40_000;
/** What is left of it once every service has noticed it, at least. */
const leftMs = 12_000;
/** Longest that a publish waits for its answer then, on a busy machine too. */
const answeredMs = 4_000;
const patienceMs = 60_000;

/** What a service says of itself to who operates it. */
interface Readiness {
  readonly status: number;
  readonly notes: Readonly<Record<string, string>>;
}

async function readinessOf({ opsUrl }: { readonly opsUrl: string }): Promise<Readiness> {
  const response = await fetch(`${opsUrl}/readyz`, { signal: AbortSignal.timeout(5_000) });
  const { notes = {} } = (await response.json()) as { notes?: Record<string, string> };
  return { status: response.status, notes };
}

/** A mesh on a broker of its own, with clients that move, and events to them that are confirmed and counted. */
class World {
  readonly broker: PrivateBroker;
  readonly mesh: Mesh;
  readonly publisher: Publisher;
  readonly clients: Client[] = [];
  readonly statuses: Status[] = [];
  /** Events that RabbitMQ has confirmed, and those that their client has handled, in the order of that. */
  readonly confirmed: number[] = [];
  readonly handled: number[] = [];
  /** What the service has got of what clients publish, by its id. */
  readonly served: string[] = [];
  #published = 0;

  private constructor(broker: PrivateBroker, mesh: Mesh, publisher: Publisher) {
    this.broker = broker;
    this.mesh = mesh;
    this.publisher = publisher;
  }

  static async start(starting = startTestBroker()): Promise<World> {
    const broker = await starting;
    onTestFinished(() => broker.stop());
    const { amqpUrl, urlFor } = broker;
    // Slowly, so that what happens happens in the middle of it.
    const env = { EVENKEEL_START_PER_SECOND: '1', EVENKEEL_MAX_PER_SECOND: '1', EVENKEEL_MODE: 'manual' };
    const mesh = await startMesh({ edges: 2, api: true, amqpUrl, urlFor, env });
    onTestFinished(() => mesh.stop());
    const publisher = await createPublisher({ amqpUrl: urlFor('app-shop'), name: 'shop' });
    onTestFinished(() => publisher.close());
    const world = new World(broker, mesh, publisher);
    await publisher.on('shop.note', ({ data }) => void world.served.push(String(data)));
    for (let n = 0; n < sockets; n += 1) world.#add(n);
    await Promise.all(world.clients.map((client) => client.ready({ timeoutMs: patienceMs })));
    const publishing = setInterval(() => world.#publish(), 50);
    onTestFinished(() => clearInterval(publishing));
    await world.flows();
    return world;
  }

  /** How often a client was without a socket, in which no move leaves it. */
  get lost(): number {
    return this.statuses.filter(({ type }) => type === 'disconnected').length;
  }

  get moved(): number {
    return this.statuses.filter(({ type }) => type === 'moved').length;
  }

  /** Resolves when events are confirmed, and come. */
  async flows(): Promise<void> {
    const [confirmed, handled] = [this.confirmed.length, this.handled.length];
    const more = () => this.confirmed.length > confirmed + 20 && this.handled.length > handled + 20;
    await eventually('events are confirmed, and come', more, patienceMs);
  }

  /** Every event that was confirmed has come, and none twice. */
  async expectNoneLost(): Promise<void> {
    await this.flows();
    const sure = [...this.confirmed];
    const missing = () => sure.filter((n) => !this.handled.includes(n));
    await eventually('every confirmed event has come', () => missing().length === 0, patienceMs);
    expect(new Set(this.handled).size).toBe(this.handled.length);
  }

  async ask(user: string, query = ''): Promise<Response> {
    return await fetch(`${this.mesh.gatewayUrl}/gateway?user=${user}${query}`);
  }

  /** Comes in by the gateway, with `query` as one that comes back; resolves with `welcome`. */
  async come(user: string, query = '', hello: object = {}) {
    const response = await this.ask(user, query);
    expect(response.status).toBe(200);
    const place = (await response.json()) as Placement;
    const client = await RawClient.open(place.url, place.ticket);
    onTestFinished(() => client.terminate());
    client.send({ t: 'hello', ...hello });
    return { client, place, welcome: await client.frame('welcome') };
  }

  /** One more edge, and clients on their way to it. */
  async rebalancing(): Promise<void> {
    const operator = await createOperator({ amqpUrl: this.mesh.urlFor('operator') });
    onTestFinished(() => operator.close());
    await this.mesh.addEdge();
    // One that is not known yet is nobody's target.
    const isPlanned = async () => ((await operator.rebalance({})).plan?.total ?? 0) > 0;
    await eventually('a plan', isPlanned, patienceMs);
    await eventually('clients move', () => this.moved >= 2, patienceMs);
  }

  async readiness(): Promise<Record<string, Readiness>> {
    const all = this.mesh.members.map(async (each) => [each.name, await readinessOf(each)] as const);
    return Object.fromEntries(await Promise.all(all));
  }

  async allReady(): Promise<void> {
    const areReady = async () => Object.values(await this.readiness()).every(({ status }) => status === 200);
    await eventually('everybody is ready', areReady, patienceMs);
  }

  #add(n: number): void {
    const client = connect({ gateway: this.mesh.gatewayUrl, user: `user-${n}`, storage: false });
    onTestFinished(() => client.close());
    client.onStatus((status) => this.statuses.push(status));
    client.on('tick', ({ data }) => void this.handled.push(Number(data)));
    this.clients.push(client);
  }

  #publish(): void {
    const n = this.#published++;
    this.publisher.toUser(`user-${n % sockets}`, 'tick', n).then(
      () => this.confirmed.push(n),
      () => {},
    );
  }
}

/** A client that publishes by the wire, and what it is answered. */
class Publishing {
  readonly #client: RawClient;
  readonly #sentAtMs = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(client: RawClient) {
    this.#client = client;
    this.#timer = setInterval(() => {
      const id = `note-${this.#sentAtMs.size}`;
      this.#sentAtMs.set(id, performance.now());
      client.send({ t: 'publish', id, topic: 'shop.note', data: id });
    }, 250);
    onTestFinished(() => clearInterval(this.#timer));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  get ids(): readonly string[] {
    return [...this.#sentAtMs.keys()];
  }

  /** The answers; undefined: none yet. */
  answer(id: string): { readonly frame: RawFrame; readonly afterMs: number } | undefined {
    const received = this.#client.log.find(({ frame }) => (frame as RawFrame | undefined)?.re === id);
    const sentAtMs = this.#sentAtMs.get(id) ?? 0;
    return received && { frame: received.frame as RawFrame, afterMs: received.atMs - sentAtMs };
  }

  /** Those that were sent in this time. */
  between(fromMs: number, toMs: number): string[] {
    return this.ids.filter((id) => {
      const atMs = this.#sentAtMs.get(id) ?? 0;
      return atMs >= fromMs && atMs < toMs;
    });
  }
}

test('an alarm of 20 s in the middle of a rebalance: sockets stay, clients come, theirs are answered, nothing is lost', async () => {
  const world = await World.start();
  const { mesh, broker } = world;
  const { client: writer } = await world.come('writer');
  const publishing = new Publishing(writer);
  const back = await world.come('back');
  const away = await world.come('away');
  away.client.terminate();
  await world.publisher.toUser('away', 'waits', {});
  await world.rebalancing();

  await broker.ctl(['set_vm_memory_high_watermark', '0.00001']);
  const isOver = async () => void (await broker.ctl(['set_vm_memory_high_watermark', '0.6']));
  onTestFinished(isOver);
  const begunAtMs = performance.now();
  const edges = mesh.edges.map(({ name }) => name);
  const said = await eventually('every service says so', async () => {
    const all = await world.readiness();
    return Object.values(all).every(({ notes }) => notes.alarm !== undefined) && all;
  });
  const noticedAtMs = performance.now();
  const endsAtMs = Math.max(begunAtMs + alarmMs, noticedAtMs + leftMs);
  for (const name of ['gateway', 'balancer', 'api', ...edges]) {
    expect(said[name]?.status, name).toBe(200);
    expect(said[name]?.notes.alarm, name).toMatch(/alarm \(low on memory\), \d+ s ago/);
  }
  for (const name of edges) expect(said[name]?.notes.alarm).toContain('what clients send is answered');
  for (const name of ['gateway', 'balancer']) expect(said[name]?.notes.view).toContain('no node is heard');
  expect(await metric(mesh.gateway, 'evenkeel_gateway_silent_seconds')).toBeGreaterThan(2);

  // Who comes back goes to where it was, and what waits for it comes.
  for (const each of [back, away]) {
    each.client.terminate();
    const { session, node, resume = '' } = each.place;
    const query = `&session=${session}&from=${node}&resume=${encodeURIComponent(resume)}`;
    const user = each === back ? 'back' : 'away';
    const again = await world.come(user, query, { resume: true, awayMs: 1_000 });
    expect(again.welcome).toMatchObject({ session, node, resumed: true });
    if (each === away) await again.client.eventCount(1);
  }
  let newcomers = 0;
  while (performance.now() < endsAtMs) {
    await world.come(`new-${newcomers++}`);
    await sleep(500);
  }
  expect(newcomers).toBeGreaterThan(2);
  expect(world.lost).toBe(0);
  expect(writer.ended).toBeUndefined();

  const refusedMs = performance.now();
  await isOver();
  await sleep(1_000);
  publishing.stop();
  await eventually('each publish is answered', () => publishing.ids.every((id) => publishing.answer(id)));
  for (const id of publishing.between(noticedAtMs + 1_000, refusedMs - answeredMs)) {
    const { frame, afterMs = Number.NaN } = publishing.answer(id) ?? {};
    expect(frame).toMatchObject({ t: 'error', code: 'broker-unavailable', retryAfterMs: expect.any(Number) });
    expect(afterMs).toBeLessThan(answeredMs);
  }
  await world.allReady();
  await world.expectNoneLost();
  expect(world.lost).toBe(0);
  const by = (t: string) => publishing.ids.filter((id) => publishing.answer(id)?.frame.t === t);
  await eventually('what was answered with ok is served', () =>
    by('ok').every((id) => world.served.includes(id)),
  );
  expect(by('error').filter((id) => world.served.includes(id))).toEqual([]);
  const calm = await world.readiness();
  expect(Object.values(calm).flatMap(({ notes }) => notes.alarm ?? [])).toEqual([]);
}, 240_000);

test('a broker that stands still for 40 s: sockets stay, gateways place clients, and nothing confirmed is lost', async () => {
  // One in a container has no process here to stop.
  const world = await World.start(startPrivateBroker({ choice: 'local' }));
  const { pid } = world.broker;
  if (pid === undefined) throw new Error('an installed broker has a process');
  await world.rebalancing();
  process.kill(pid, 'SIGSTOP');
  onTestFinished(() => void process.kill(pid, 'SIGCONT'));
  const endsAtMs = performance.now() + frozenMs;
  while (performance.now() < endsAtMs) {
    expect((await world.ask('somebody')).status).toBe(200);
    await sleep(1_000);
  }
  expect(world.lost).toBe(0);
  expect(readFileSync(`/proc/${pid}/stat`, 'utf8')).toMatch(/\) T/);
  process.kill(pid, 'SIGCONT');
  await world.allReady();
  await world.expectNoneLost();
}, 240_000);

test('a broker that is restarted: sockets stay, gateways place clients, and nothing confirmed is lost', async () => {
  const world = await World.start();
  await world.rebalancing();
  const restarted = { is: false };
  const restart = world.broker.restart().finally(() => {
    restarted.is = true;
  });
  while (!restarted.is) {
    expect((await world.ask('somebody')).status).toBe(200);
    await sleep(500);
  }
  await restart;
  await world.allReady();
  await world.expectNoneLost();
  expect(world.lost).toBe(0);
}, 240_000);
