import { randomUUID } from 'node:crypto';
import { Broker, type Publisher, type TopologyChannels } from '@evenkeel/broker';
import { freePort, Member } from '@evenkeel/local';
import { type EdgeCommand, edgeKey, exchanges, keyHeader, topicKey, userKey } from '@evenkeel/protocol';
import type { RawClient, RawOptions } from '@evenkeel/testkit';
import { vi } from 'vitest';
import { freshVhost, type Vhost } from './broker.js';
import { EdgeUnderTest } from './edge-process.js';
import { PuppetEdge } from './edge-puppet.js';
import { comeTo, type SessionUnderTest, secret } from './edge-session.js';

export { EdgeUnderTest } from './edge-process.js';
export { PuppetEdge } from './edge-puppet.js';
export { comeTo, SessionUnderTest } from './edge-session.js';

/** As whom the tests speak: as the balancer to edges, as an edge to another, and as an application. */
type Speaker = 'balancer' | 'edge' | 'app-shop';

/** What edges say to each other; everything else the balancer says. */
const betweenEdges: ReadonlySet<string> = new Set(['takeover', 'released', 'claim', 'claimed']);

/** A vhost with edges in it, each as the user `edge`, and a hand on its broker. */
export class EdgeMesh {
  /** The administrator's address. */
  readonly amqpUrl: string;
  readonly vhost: string;
  readonly urlFor: Vhost['urlFor'];
  /** The administrator's connection. */
  readonly broker: Broker;
  readonly publisher: Publisher;
  readonly topology: TopologyChannels;
  readonly #edges: EdgeUnderTest[] = [];
  readonly #cleanUps: (() => unknown)[] = [];
  readonly #speakers: Readonly<Record<Speaker, Broker>>;
  readonly #publishers: Readonly<Record<Speaker, Publisher>>;

  private constructor(
    { amqpUrl, vhost, urlFor }: Vhost,
    broker: Broker,
    speakers: Readonly<Record<Speaker, Broker>>,
  ) {
    this.amqpUrl = amqpUrl;
    this.vhost = vhost;
    this.urlFor = urlFor;
    this.broker = broker;
    this.#speakers = speakers;
    this.#publishers = {
      balancer: speakers.balancer.publisher(),
      edge: speakers.edge.publisher(),
      'app-shop': speakers['app-shop'].publisher(),
    };
    this.publisher = broker.publisher();
    this.topology = broker.topology();
  }

  /** `vhost`: of another broker than the tests' own. */
  static async open(given?: Vhost): Promise<EdgeMesh> {
    const vhost = given ?? (await freshVhost());
    const connect = (url: string) => Broker.connect({ url, name: 'edge tests', attempts: 5 });
    const [broker, balancer, edge, app] = await Promise.all([
      connect(vhost.amqpUrl),
      connect(vhost.urlFor('balancer')),
      connect(vhost.urlFor('edge')),
      connect(vhost.urlFor('app-shop')),
    ]);
    return new EdgeMesh(vhost, broker, { balancer, edge, 'app-shop': app });
  }

  /** Starts an edge process; `env` without the prefix `EVENKEEL_`, but for Node’s and OpenTelemetry’s own. It logs to `lines`. */
  async edge(node: string, env: Record<string, string> = {}, lines: string[] = []): Promise<EdgeUnderTest> {
    const settings = Object.entries(env).map(([name, value]) => [
      /^(?:NODE|OTEL)_/.test(name) ? name : `EVENKEEL_${name}`,
      value,
    ]);
    const member = new Member({
      role: 'edge',
      name: node,
      opsPort: await freePort(),
      env: {
        EVENKEEL_AMQP_URL: this.urlFor('edge'),
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
    await Promise.all([this.broker, ...Object.values(this.#speakers)].map((each) => each.close()));
  }

  /** Publishes a directed event; resolves when confirmed. */
  async event(
    session: { uid: string },
    data: unknown,
    properties: { messageId?: string; expiration?: number } = {},
  ): Promise<void> {
    const { messageId = randomUUID(), expiration } = properties;
    await this.#publishers['app-shop'].publish(
      exchanges.events,
      userKey(session.uid, 'n'),
      JSON.stringify(data),
      {
        contentType: 'application/json',
        messageId,
        expiration,
      },
    );
  }

  /** Publishes numbers as events, in order. */
  async numbers(session: { uid: string }, from: number, to: number): Promise<void> {
    await Promise.all(range(from, to).map((n) => this.event(session, n)));
  }

  async message(topic: string, data: unknown): Promise<void> {
    await this.#publishers['app-shop'].publish(exchanges.events, topicKey(topic), JSON.stringify(data), {
      contentType: 'application/json',
      messageId: randomUUID(),
    });
  }

  /** The value of a key of a topic; none: its deletion. */
  async keyed(topic: string, key: string, data?: unknown): Promise<void> {
    const body = data === undefined ? '' : JSON.stringify(data);
    await this.#publishers['app-shop'].publish(exchanges.events, topicKey(topic), body, {
      contentType: 'application/json',
      messageId: randomUUID(),
      headers: { [keyHeader]: key },
    });
  }

  /** `expiration`: how long its sender waits for it, ms. */
  async command(
    node: string,
    command: EdgeCommand,
    properties: { expiration?: string } = {},
  ): Promise<'routed' | 'unrouted'> {
    const body = JSON.stringify(command);
    const userId = betweenEdges.has(command.command) ? 'edge' : 'balancer';
    return await this.#publishers[userId].publish(exchanges.control, edgeKey(node), body, {
      mandatory: true,
      userId,
      ...properties,
    });
  }

  /** Tells `from` to move the session to `to`; resolves with the `move` frame that the client gets. */
  async askToMove(
    session: SessionUnderTest,
    client: Pick<RawClient, 'frame'>,
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

  /** Tells `from` to move the session to `to`, and comes there as its client: the first socket stays open. */
  async follow(
    session: SessionUnderTest,
    client: Pick<RawClient, 'frame'>,
    from: EdgeUnderTest,
    to: EdgeUnderTest,
    hello: object = {},
    options: RawOptions = {},
  ): Promise<RawClient> {
    const { ticket } = await this.askToMove(session, client, from, to);
    return await comeTo(to, ticket, hello, options);
  }

  /** Ready messages and consumers of the session's queue. */
  async counts(session: SessionUnderTest): Promise<{ messages: number; consumers: number } | undefined> {
    return await this.topology.checkQueue(session.queue);
  }

  /** Waits until the session's queue shows these counts. */
  async settled(
    session: SessionUnderTest,
    counts: { messages?: number; consumers?: number },
    timeout = 20_000,
  ): Promise<void> {
    await vi.waitUntil(
      async () => {
        const seen = await this.counts(session);
        return (
          seen !== undefined &&
          (counts.messages ?? seen.messages) === seen.messages &&
          (counts.consumers ?? seen.consumers) === seen.consumers
        );
      },
      { timeout, interval: 20 },
    );
  }

  /** An edge that exists as a control queue only, and says what the test wants. */
  async puppet(node: string): Promise<PuppetEdge> {
    const puppet = await PuppetEdge.open(this, node);
    this.defer(() => puppet.die());
    return puppet;
  }
}

/** Whole numbers from `from` up to and with `to`. */
export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
