import { randomUUID } from 'node:crypto';
import { Broker, type Consumer, type Delivery } from '@evenkeel/broker';
import { type EdgeCommand, edgeKey, exchanges, sealHeader } from '@evenkeel/protocol';
import { vi } from 'vitest';
import type { SessionUnderTest } from './edge-session.js';

/** What a puppet needs of its mesh. */
interface PuppetMesh {
  readonly urlFor: (user: string) => string;
  command(node: string, command: EdgeCommand): Promise<unknown>;
}

/** Speaks an edge's part of the hand-over on a connection of its own. */
export class PuppetEdge {
  readonly node: string;
  readonly commands: EdgeCommand[] = [];
  readonly #mesh: PuppetMesh;
  readonly #broker: Broker;
  readonly #held: Delivery[] = [];
  #consumer: Consumer | undefined;

  private constructor(mesh: PuppetMesh, node: string, broker: Broker) {
    this.#mesh = mesh;
    this.node = node;
    this.#broker = broker;
  }

  static async open(mesh: PuppetMesh, node: string): Promise<PuppetEdge> {
    const broker = await Broker.connect({ url: mesh.urlFor('edge'), name: `puppet ${node}`, attempts: 5 });
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

  /** Holds the session: consumes its queue and acknowledges nothing. `prefetch`: events; the seal is one more. */
  async hold(session: SessionUnderTest, prefetch = 64): Promise<void> {
    this.#consumer = await this.#broker.consumers().consume(session.queue, {
      prefetch: prefetch + 1,
      onDelivery: (delivery) => this.#held.push(delivery),
    });
  }

  /** Bodies of events. */
  get held(): string[] {
    const events = this.#held.filter(({ properties }) => !(sealHeader in properties.headers));
    return events.map((delivery) => delivery.body.toString('utf8'));
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
