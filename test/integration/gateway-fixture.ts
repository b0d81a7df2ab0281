import { Broker, type Publisher } from '@evenkeel/broker';
import { freePort, Member } from '@evenkeel/local';
import { exchanges, type NodeStats, statsKey } from '@evenkeel/protocol';
import { statsOf, TcpProxy } from '@evenkeel/testkit';
import { onTestFinished, vi } from 'vitest';
import { freshVhost } from '../support/broker.js';

export const secret = 'gateway-test-secret-0123456789';

/** A gateway process with a broker vhost of its own, and edges that exist as statistics only. */
export interface GatewayUnderTest {
  readonly url: string;
  readonly opsUrl: string;
  /** What leads the gateway, and only it, to RabbitMQ. */
  readonly amqp: TcpProxy;
  readonly edges: FakeEdges;
  /** As an edge reaches RabbitMQ. */
  readonly edgeAmqpUrl: string;
  readonly member: Member;
  /** What it has logged, line by line. */
  readonly lines: readonly string[];
  ask(query: string, init?: RequestInit): Promise<Response>;
}

type AtEnd = (stop: () => Promise<void>) => void;

/** Starts a gateway; it and everything else is stopped when the test ends, or by what `atEnd` has been given, the last first. */
export async function startGateway(
  env: Record<string, string> = {},
  atEnd: AtEnd = onTestFinished,
): Promise<GatewayUnderTest> {
  const { amqpUrl, urlFor } = await freshVhost();
  const proxy = await TcpProxy.toUrl(amqpUrl);
  atEnd(() => proxy.close());
  const port = await freePort();
  const lines: string[] = [];
  const gateway = new Member({
    role: 'gateway',
    name: 'gateway',
    opsPort: await freePort(),
    env: {
      EVENKEEL_AMQP_URL: proxy.urlFor(urlFor('gateway')),
      EVENKEEL_SECRET: secret,
      EVENKEEL_AUTH: 'dev',
      EVENKEEL_HOST: '127.0.0.1',
      EVENKEEL_PORT: String(port),
      ...env,
    },
    onLine: (_name, line) => lines.push(line),
    onUnexpectedEnd: () => undefined,
  });
  await gateway.start();
  atEnd(async () => {
    await gateway.stop();
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    opsUrl: gateway.opsUrl,
    amqp: proxy,
    edgeAmqpUrl: urlFor('edge'),
    member: gateway,
    lines,
    edges: await FakeEdges.open(urlFor('edge'), gateway.opsUrl, atEnd),
    ask: (query, init) => fetch(`${url}/gateway${query}`, init),
  };
}

/** Publishes statistics as edges do. */
class FakeEdges {
  readonly #publisher: Publisher;
  readonly #opsUrl: string;
  #seq = 0;

  static async open(amqpUrl: string, opsUrl: string, atEnd: AtEnd = onTestFinished): Promise<FakeEdges> {
    const broker = await Broker.connect({ url: amqpUrl, name: 'fake-edges', attempts: 1 });
    atEnd(() => broker.close());
    return new FakeEdges(broker, opsUrl);
  }

  private constructor(broker: Broker, opsUrl: string) {
    this.#publisher = broker.publisher();
    this.#opsUrl = opsUrl;
  }

  /** Reports for each node, and waits until the gateway shows what it was told. */
  async report(nodes: Record<string, Partial<NodeStats>>): Promise<void> {
    await this.publish(nodes);
    await vi.waitUntil(
      async () => {
        const known = await this.shown();
        return Object.entries(nodes).every(([node, over]) => {
          const seen = known.find((n) => n.node === node);
          return (
            seen !== undefined &&
            seen.connections === (over.connections ?? 0) &&
            seen.state === (over.state ?? 'active')
          );
        });
      },
      { timeout: 10_000 },
    );
  }

  /** Reports for each node, whoever hears it. */
  async publish(nodes: Record<string, Partial<NodeStats>>): Promise<void> {
    this.#seq += 1;
    for (const [node, over] of Object.entries(nodes)) {
      const body = JSON.stringify(statsOf(node, { seq: this.#seq, capacity: 10_000, ...over }));
      await this.#publisher.publish(exchanges.stats, statsKey(node), body);
    }
  }

  /** Bytes that are no statistics. */
  async reportGarbage(node: string): Promise<void> {
    await this.#publisher.publish(exchanges.stats, statsKey(node), 'not { json');
  }

  async shown(): Promise<{ node: string; state: string; connections: number; reserved: number }[]> {
    const response = await fetch(`${this.#opsUrl}/status`);
    const body = (await response.json()) as { nodes: Awaited<ReturnType<FakeEdges['shown']>> };
    return body.nodes;
  }
}
