import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { Broker, type Publisher, userOf } from '@evenkeel/broker';
import { manageCommand, manageKey, manageKind } from '@evenkeel/protocol';
import { FakeEdge, type FakeEdgeBroker, type FakeEdgeOptions, FakeMesh } from '@evenkeel/testkit';
import { onTestFinished } from 'vitest';
import { freshVhost, type Vhost } from '../support/broker.js';
import { eventually } from './broker-fixture.js';

const main = join(import.meta.dirname, '..', '..', 'services', 'balancer', 'dist', 'main.js');

// biome-ignore lint/suspicious/noExplicitAny: answers are read as a client in another language would
export type Answer = any;

/** One balancer process. */
export interface BalancerHandle {
  readonly id: string;
  readonly child: ChildProcess;
  /** What it has logged, line by line. */
  readonly lines: string[];
  kill(signal: NodeJS.Signals): Promise<void>;
}

export interface AskOptions {
  readonly messageId?: string;
  readonly timeoutMs?: number;
  readonly contentEncoding?: string;
  /** After it the broker drops the command. */
  readonly expiresMs?: number;
  /** On the exchange `mesh.manage`. Default: the command's own. */
  readonly key?: string;
  /** Straight to the queue. */
  readonly isByQueue?: boolean;
  /** Default: the user that the bench logs in as. Null: none. */
  readonly userId?: null;
  /** Default: a queue of the bench's own. */
  readonly replyTo?: string;
}

/** Waits until `check` is true, and tells how long that took, ms; fails with `what` after `timeoutMs`. */
export async function until(
  what: string,
  timeoutMs: number,
  check: () => boolean | Promise<boolean>,
): Promise<number> {
  const beginMs = performance.now();
  await eventually(check, what, timeoutMs);
  return performance.now() - beginMs;
}

/** Fake edges, real balancers and an operator, in a vhost of their own. */
export class Bench {
  readonly amqpUrl: string;
  readonly urlFor: Vhost['urlFor'];
  readonly broker: Broker;
  readonly publisher: Publisher;
  readonly #edges: Broker;
  readonly mesh = new FakeMesh();
  readonly #replyTo = `operator.test.${randomUUID()}`;
  readonly #waiting = new Map<string, (answer: Answer) => void>();

  private constructor({ amqpUrl, urlFor }: Vhost, broker: Broker, edges: Broker) {
    this.amqpUrl = amqpUrl;
    this.urlFor = urlFor;
    this.broker = broker;
    this.publisher = broker.publisher();
    this.#edges = edges;
  }

  static async open(): Promise<Bench> {
    const vhost = await freshVhost();
    const broker = await Broker.connect({ url: vhost.amqpUrl, name: 'bench', attempts: 1 });
    onTestFinished(() => broker.close());
    const edges = await Broker.connect({ url: vhost.urlFor('edge'), name: 'fake edges', attempts: 1 });
    onTestFinished(() => edges.close());
    const bench = new Bench(vhost, broker, edges);
    const replyTo = bench.#replyTo;
    await broker.declare({ queues: [{ name: replyTo, durable: false, exclusive: true }] });
    await broker.consumers({ channels: 1, prefetch: 1000 }).consume(replyTo, {
      onDelivery: (d) => {
        d.ack();
        bench.#waiting.get(d.properties.correlationId ?? '')?.(JSON.parse(d.body.toString()));
      },
    });
    return bench;
  }

  async edge(options: FakeEdgeOptions): Promise<FakeEdge> {
    const edge = await new FakeEdge(this.mesh, this.#forEdges(), options).start();
    onTestFinished(() => edge.stop());
    return edge;
  }

  /** Starts a balancer process and waits until it serves or stands by. */
  async balancer(id: string, env: Record<string, string> = {}): Promise<BalancerHandle> {
    const child = spawn(process.execPath, [main], {
      env: {
        PATH: process.env.PATH ?? '',
        EVENKEEL_AMQP_URL: this.urlFor('balancer'),
        EVENKEEL_ID: id,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    let rest = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
    });
    const kill = async (signal: NodeJS.Signals) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    };
    onTestFinished(() => kill('SIGKILL'));
    await until(`balancer ${id} is ready`, 20_000, () =>
      lines.some((line) => line.includes('"msg":"ready"')),
    );
    return { id, child, lines, kill };
  }

  /** Sends a command as an operator does; undefined when no answer came in time. */
  ask(command: unknown, options: AskOptions = {}): Promise<Answer> {
    const known = manageCommand.safeParse(command).data?.command;
    const key = known === undefined ? {} : { key: manageKey(manageKind(known), known) };
    return this.askRaw(Buffer.from(JSON.stringify(command)), { ...key, ...options });
  }

  async askRaw(body: Buffer, options: AskOptions = {}): Promise<Answer> {
    const correlationId = randomUUID();
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<Answer>((resolve) => {
      this.#waiting.set(correlationId, resolve);
      timer = setTimeout(() => resolve(undefined), options.timeoutMs ?? 5000);
    });
    const isByQueue = options.isByQueue ?? options.key === undefined;
    await this.publisher.publish(
      isByQueue ? '' : 'mesh.manage',
      isByQueue ? 'mesh.manage' : (options.key ?? ''),
      body,
      {
        replyTo: options.replyTo ?? this.#replyTo,
        correlationId,
        ...(options.userId === null ? {} : { userId: userOf(this.amqpUrl) }),
        ...(options.messageId === undefined ? {} : { messageId: options.messageId }),
        ...(options.expiresMs === undefined ? {} : { expiration: options.expiresMs }),
        ...(options.contentEncoding === undefined ? {} : { contentEncoding: options.contentEncoding }),
      },
    );
    return answer.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(correlationId);
    });
  }

  #forEdges(): FakeEdgeBroker {
    const topology = this.#edges.topology({ channels: 1 });
    const publisher = this.#edges.publisher();
    return {
      publish: (exchange, key, body) => publisher.publish(exchange, key, body),
      consume: async (queue, exchange, keys, onBody) => {
        await topology.declareQueue({ name: queue, durable: false, exclusive: true });
        for (const key of keys) await topology.bind(queue, exchange, key);
        const consumer = await this.#edges.consumers({ channels: 1, prefetch: 100 }).consume(queue, {
          onDelivery: (delivery) => {
            delivery.ack();
            onBody(delivery.body);
          },
        });
        return async () => {
          await consumer.cancel();
          await topology.deleteQueue(queue);
        };
      },
    };
  }

  /** Sessions per node. */
  counts(): Record<string, number> {
    return Object.fromEntries([...this.mesh.edges.values()].map((e) => [e.node, e.sessions.size]));
  }
}
