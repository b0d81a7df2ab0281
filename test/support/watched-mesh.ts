import { type Mesh, type MeshOptions, startMesh } from '@evenkeel/local';
import { createPublisher, type Publisher } from '@evenkeel/publisher';
import { RawClient, type RawOptions } from '@evenkeel/testkit';
import { createOperator, type Operator } from 'evenkeel';
import { onTestFinished } from 'vitest';
import { freshVhost } from './broker.js';
import { Prometheus } from './prometheus.js';

interface Place {
  readonly url: string;
  readonly node: string;
  readonly ticket: string;
}

/** A mesh with Prometheus on it. For all tests of a file: `beforeAll` returns its {@link WatchedMesh.stop}. */
export class WatchedMesh {
  readonly mesh: Mesh;
  readonly prometheus: Prometheus;
  readonly operator: Operator;
  readonly publisher: Publisher;
  readonly #cleanUps: (() => Promise<unknown>)[];

  private constructor(
    mesh: Mesh,
    prometheus: Prometheus,
    operator: Operator,
    publisher: Publisher,
    cleanUps: (() => Promise<unknown>)[],
  ) {
    this.mesh = mesh;
    this.prometheus = prometheus;
    this.operator = operator;
    this.publisher = publisher;
    this.#cleanUps = cleanUps;
  }

  /** On a vhost of its own, unless the options name a broker. */
  static async start(options: Partial<MeshOptions> = {}): Promise<WatchedMesh> {
    const cleanUps: (() => Promise<unknown>)[] = [];
    try {
      const place = options.amqpUrl === undefined ? await freshVhost() : { amqpUrl: options.amqpUrl };
      const mesh = await startMesh({ edges: 2, ...place, ...options });
      cleanUps.push(() => mesh.stop());
      const prometheus = await Prometheus.start(() => mesh.members);
      cleanUps.push(() => prometheus.stop());
      const operator = await createOperator({ amqpUrl: mesh.urlFor('operator') });
      cleanUps.push(() => operator.close());
      const publisher = await createPublisher({ amqpUrl: mesh.urlFor('app-shop'), name: 'shop' });
      cleanUps.push(() => publisher.close());
      return new WatchedMesh(mesh, prometheus, operator, publisher, cleanUps);
    } catch (error) {
      await endAll(cleanUps);
      throw error;
    }
  }

  async stop(): Promise<void> {
    await endAll(this.#cleanUps);
  }

  /** What the gateway answers this user. */
  async ask(user: string): Promise<Response> {
    return await fetch(`${this.mesh.gatewayUrl}/gateway?user=${user}`);
  }

  /** A client of the protocol that does nothing by itself but acknowledge, for the running test. */
  async client(user: string, options: RawOptions = {}): Promise<RawClient> {
    const { url, ticket } = (await (await this.ask(user)).json()) as Place;
    const client = await RawClient.open(url, ticket, options);
    onTestFinished(() => client.terminate());
    client.send({ t: 'hello' });
    await client.frame('welcome');
    return client;
  }

  /** So many of them, of users of their own. */
  async clients(count: number, name: string, options: RawOptions = {}): Promise<RawClient[]> {
    return await Promise.all(Array.from({ length: count }, (_, n) => this.client(`${name}-${n}`, options)));
  }
}

async function endAll(cleanUps: (() => Promise<unknown>)[]): Promise<void> {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
}
