import { randomUUID } from 'node:crypto';
import {
  Broker,
  type Consumer,
  type Delivery,
  type Publisher,
  type TopologyChannels,
} from '@evenkeel/broker';
import { freePort, Member } from '@evenkeel/local';
import {
  type EdgeCommand,
  edgeKey,
  exchanges,
  meshTopology,
  sessionQueue,
  topicKey,
  toUid,
  userKey,
} from '@evenkeel/protocol';
import { RawClient, type RawOptions } from '@evenkeel/testkit';
import { newSessionId, type TicketClaims, TicketOffice } from '@evenkeel/ticket';
import { vi } from 'vitest';
import { freshVhost } from './broker.js';

const secret = 'edge-test-secret-0123456789abcdef';
const office = new TicketOffice([secret]);

/** One edge process. */
export class EdgeUnderTest {
  readonly node: string;
  readonly url: string;
  readonly member: Member;
  /** What it has logged, line by line. */
  readonly lines: string[];

  constructor(node: string, url: string, member: Member, lines: string[]) {
    this.node = node;
    this.url = url;
    this.member = member;
    this.lines = lines;
  }

  hasLogged(message: string): boolean {
    return this.lines.some((line) => line.includes(message));
  }

  /** Its last statistics, up to a second old. */
  async stats(): Promise<{ sessions: number; connections: number; unacked: number; rssBytes: number }> {
    const response = await fetch(`${this.member.opsUrl}/status`);
    return (await response.json()) as Awaited<ReturnType<EdgeUnderTest['stats']>>;
  }

  /** Waits until its statistics say that it holds this many deliveries. */
  async unacked(count: number): Promise<void> {
    await vi.waitUntil(async () => (await this.stats()).unacked === count, { timeout: 10_000, interval: 50 });
  }
}

/** A session of one user, from the outside: it makes tickets and dials edges with them. */
export class SessionUnderTest {
  readonly uid: string;
  readonly sid: string;
  #epoch = Date.now();
  #hasBegun = false;

  constructor(user: string, sid = newSessionId()) {
    this.uid = toUid(user);
    this.sid = sid;
  }

  get queue(): string {
    return sessionQueue(this.uid, this.sid);
  }

  get key(): string {
    return `${this.uid}.${this.sid}`;
  }

  /** A ticket newer than those before; the first of a session says that it is new. */
  ticket(edge: EdgeUnderTest, claims: Partial<TicketClaims> = {}): string {
    this.#epoch += 1;
    const isNew = this.#hasBegun ? {} : { isNew: true };
    this.#hasBegun = true;
    const { uid, sid } = this;
    const expiresAt = Date.now() + 30_000;
    return office.issue({ uid, sid, node: edge.node, epoch: this.#epoch, expiresAt, ...isNew, ...claims });
  }

  /** The epoch of the last ticket. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Opens a socket and says nothing. */
  async open(
    edge: EdgeUnderTest,
    claims: Partial<TicketClaims> = {},
    options: RawOptions = {},
  ): Promise<RawClient> {
    return await RawClient.open(edge.url, this.ticket(edge, claims), options);
  }

  /** Opens a socket, says hello, and waits for `welcome`. */
  async attach(
    edge: EdgeUnderTest,
    hello: object = {},
    claims: Partial<TicketClaims> = {},
    options: RawOptions = {},
  ): Promise<RawClient> {
    const client = await this.open(edge, claims, options);
    client.send({ t: 'hello', ...hello });
    await client.frame('welcome');
    return client;
  }
}

/** A vhost with edges in it, and a hand on its broker. */
export class EdgeMesh {
  readonly amqpUrl: string;
  readonly vhost: string;
  readonly broker: Broker;
  readonly publisher: Publisher;
  readonly topology: TopologyChannels;
  readonly #edges: EdgeUnderTest[] = [];
  readonly #cleanUps: (() => unknown)[] = [];

  private constructor(amqpUrl: string, vhost: string, broker: Broker) {
    this.amqpUrl = amqpUrl;
    this.vhost = vhost;
    this.broker = broker;
    this.publisher = broker.publisher();
    this.topology = broker.topology();
  }

  static async open(): Promise<EdgeMesh> {
    const { amqpUrl, vhost } = await freshVhost();
    const broker = await Broker.connect({ url: amqpUrl, name: 'edge tests', attempts: 5 });
    await broker.declare(meshTopology);
    return new EdgeMesh(amqpUrl, vhost, broker);
  }

  /** Starts an edge process; `env` without the prefix `EVENKEEL_`. */
  async edge(node: string, env: Record<string, string> = {}): Promise<EdgeUnderTest> {
    const lines: string[] = [];
    const settings = Object.entries(env).map(([name, value]) => [`EVENKEEL_${name}`, value]);
    const member = new Member({
      role: 'edge',
      name: node,
      opsPort: await freePort(),
      env: {
        EVENKEEL_AMQP_URL: this.amqpUrl,
        EVENKEEL_SECRET: secret,
        EVENKEEL_NODE: node,
        EVENKEEL_HOST: '127.0.0.1',
        EVENKEEL_PORT: '0',
        EVENKEEL_DRAIN_PATIENCE_MS: '1',
        ...Object.fromEntries(settings),
      },
      onLine: (_name, line) => lines.push(line),
      onUnexpectedEnd: () => undefined,
    });
    await member.start();
    const status = (await (await fetch(`${member.opsUrl}/status`)).json()) as { url: string };
    const edge = new EdgeUnderTest(node, status.url, member, lines);
    this.#edges.push(edge);
    return edge;
  }

  /** Run at the end, before the edges are stopped. */
  defer(cleanUp: () => unknown): void {
    this.#cleanUps.push(cleanUp);
  }

  async close(): Promise<void> {
    for (const cleanUp of this.#cleanUps) await cleanUp();
    await Promise.all(
      this.#edges.map(async ({ member }) => {
        member.resume();
        await member.stop('SIGTERM', 3_000);
      }),
    );
    await this.broker.close();
  }

  /** Publishes a directed event; resolves when confirmed. */
  async event(
    session: { uid: string },
    data: unknown,
    properties: { messageId?: string } = {},
  ): Promise<void> {
    const { messageId = randomUUID() } = properties;
    await this.publisher.publish(exchanges.events, userKey(session.uid, 'n'), JSON.stringify(data), {
      contentType: 'application/json',
      messageId,
    });
  }

  /** Publishes numbers as events, in order. */
  async numbers(session: { uid: string }, from: number, to: number): Promise<void> {
    await Promise.all(range(from, to).map((n) => this.event(session, n)));
  }

  async message(topic: string, data: unknown): Promise<void> {
    await this.publisher.publish(exchanges.events, topicKey(topic), JSON.stringify(data), {
      contentType: 'application/json',
      messageId: randomUUID(),
    });
  }

  async command(node: string, command: EdgeCommand): Promise<'routed' | 'unrouted'> {
    const body = JSON.stringify(command);
    return await this.publisher.publish(exchanges.control, edgeKey(node), body, { mandatory: true });
  }

  /** Tells `from` to move the session to `to`; resolves with the `move` frame that the client gets. */
  async askToMove(
    session: SessionUnderTest,
    client: RawClient,
    from: EdgeUnderTest,
    to: { node: string; url: string },
    deadlineMs = 30_000,
  ): Promise<{ ticket: string; url: string; deadlineMs: number }> {
    const move = randomUUID();
    await this.command(from.node, {
      command: 'reconnect',
      move,
      to: { node: to.node, url: to.url },
      sessions: [session.key],
      deadlineMs,
    });
    const frame = await client.frame('move', (f) => f.move === move);
    return frame as unknown as { ticket: string; url: string; deadlineMs: number };
  }

  /** Ready messages and consumers of the session's queue. */
  async counts(session: SessionUnderTest): Promise<{ messages: number; consumers: number } | undefined> {
    return await this.topology.checkQueue(session.queue);
  }

  /** Waits until the session's queue shows these counts. */
  async settled(session: SessionUnderTest, counts: { messages?: number; consumers?: number }): Promise<void> {
    await vi.waitUntil(
      async () => {
        const seen = await this.counts(session);
        return (
          seen !== undefined &&
          (counts.messages ?? seen.messages) === seen.messages &&
          (counts.consumers ?? seen.consumers) === seen.consumers
        );
      },
      { timeout: 10_000, interval: 20 },
    );
  }

  /** An edge that exists as a control queue only, and says what the test wants. */
  async puppet(node: string): Promise<PuppetEdge> {
    const puppet = await PuppetEdge.open(this, node);
    this.defer(() => puppet.die());
    return puppet;
  }
}

/** Speaks an edge's part of the hand-over on a connection of its own. */
export class PuppetEdge {
  readonly node: string;
  readonly commands: EdgeCommand[] = [];
  readonly #mesh: EdgeMesh;
  readonly #broker: Broker;
  readonly #held: Delivery[] = [];
  #consumer: Consumer | undefined;

  private constructor(mesh: EdgeMesh, node: string, broker: Broker) {
    this.#mesh = mesh;
    this.node = node;
    this.#broker = broker;
  }

  static async open(mesh: EdgeMesh, node: string): Promise<PuppetEdge> {
    const broker = await Broker.connect({ url: mesh.amqpUrl, name: `puppet ${node}`, attempts: 5 });
    const puppet = new PuppetEdge(mesh, node, broker);
    const topology = broker.topology();
    const queue = `control.${node}.${randomUUID()}`;
    await topology.declareQueue({ name: queue, durable: false, exclusive: true });
    await topology.bind(queue, exchanges.control, edgeKey(node));
    await broker.consumers().consume(queue, {
      onDelivery: (delivery) => {
        delivery.ack();
        const body = JSON.parse(delivery.body.toString('utf8'));
        puppet.commands.push(...(Array.isArray(body) ? body : [body]));
      },
    });
    return puppet;
  }

  /** Holds the session: consumes its queue and acknowledges nothing. */
  async hold(session: SessionUnderTest, prefetch = 64): Promise<void> {
    this.#consumer = await this.#broker.consumers().consume(session.queue, {
      prefetch,
      onDelivery: (delivery) => this.#held.push(delivery),
    });
  }

  get held(): string[] {
    return this.#held.map((delivery) => delivery.body.toString('utf8'));
  }

  /** Lets go in the order the protocol asks for. */
  async letGo(): Promise<void> {
    await this.#consumer?.cancel();
    for (const delivery of this.#held) delivery.requeue();
    await this.#consumer?.barrier();
  }

  async command<C extends EdgeCommand['command']>(
    command: C,
    is: (c: Extract<EdgeCommand, { command: C }>) => boolean = () => true,
  ): Promise<Extract<EdgeCommand, { command: C }>> {
    const matches = (c: EdgeCommand): c is Extract<EdgeCommand, { command: C }> =>
      c.command === command && is(c as Extract<EdgeCommand, { command: C }>);
    return await vi.waitUntil(() => this.commands.find(matches), { timeout: 10_000, interval: 5 });
  }

  /** Answers a takeover. */
  async answer(
    takeover: Extract<EdgeCommand, { command: 'takeover' }>,
    outcome: 'released' | 'unknown' | 'refused',
    suspect?: number,
  ): Promise<void> {
    const { uid, sid } = takeover;
    await this.#mesh.command(takeover.from, {
      command: 'released',
      takeover: takeover.takeover,
      uid,
      sid,
      from: this.node,
      outcome,
      ...(suspect === undefined ? {} : { suspect }),
    });
  }

  /** Its connection goes, and with it its control queue. */
  async die(): Promise<void> {
    await this.#broker.close();
  }
}

/** Whole numbers from `from` up to and with `to`. */
export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
