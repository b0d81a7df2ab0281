import { randomBytes } from 'node:crypto';
import type {
  Broker,
  Consumer,
  ConsumerChannels,
  Delivery,
  Publisher,
  TopologyChannels,
} from '@evenkeel/broker';
import {
  allEdgesKey,
  type CommandOf,
  closeCodes,
  type EdgeReply,
  edgeCommand,
  edgeKey,
  exchanges,
  replyKey,
} from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { EdgeConfig } from '../config.js';
import type { Departures } from '../move/departures.js';
import type { Takeovers } from '../move/takeovers.js';
import type { Directory } from '../session/directory.js';

export interface CommandsOptions {
  config: EdgeConfig;
  boot: string;
  broker: Broker;
  topology: TopologyChannels;
  consumers: ConsumerChannels;
  publisher: Publisher;
  directory: Directory;
  departures: Departures;
  takeovers: Takeovers;
  cordon(isCordoned: boolean): void;
  now: () => number;
  log: Log;
}

/** Takes commands from `mesh.control`, on a queue that lives exactly as long as this edge's consuming connection. */
export class Commands {
  readonly #options: CommandsOptions;
  #consumer: Consumer | undefined;
  #stopListening: () => void = () => {};

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** Start it on an open connection. */
  async start(): Promise<void> {
    const { broker, log } = this.#options;
    this.#stopListening = broker.on('open', () => {
      this.#consumer?.cancel().catch(() => {});
      this.#open().catch((error: unknown) => log.error({ err: error }, 'commands not consumed'));
    });
    await this.#open();
  }

  async stop(): Promise<void> {
    this.#stopListening();
    await this.#consumer?.cancel();
  }

  async #open(): Promise<void> {
    const { config, topology, consumers } = this.#options;
    // A new name each time: the old one may still be there, locked to the connection that was lost.
    const queue = `control.${config.node}.${randomBytes(6).toString('base64url')}`;
    await topology.declareQueue({
      name: queue,
      durable: false,
      exclusive: true,
      arguments: { 'x-max-length': 100_000 },
    });
    this.#consumer = await consumers.consume(queue, { onDelivery: (delivery) => this.#onDelivery(delivery) });
    await topology.bind(queue, exchanges.control, edgeKey(config.node));
    await topology.bind(queue, exchanges.control, allEdgesKey);
  }

  #onDelivery(delivery: Delivery): void {
    delivery.ack();
    let value: unknown;
    try {
      value = JSON.parse(delivery.body.toString('utf8'));
    } catch {
      value = undefined;
    }
    // Edges gather commands to each other in arrays.
    for (const each of Array.isArray(value) ? value : [value]) this.#onCommand(each, delivery.key);
  }

  #onCommand(value: unknown, key: string): void {
    const parsed = edgeCommand.safeParse(value);
    if (!parsed.success) {
      this.#options.log.warn({ key, reason: parsed.error.issues[0]?.message }, 'command not understood');
      return;
    }
    const command = parsed.data;
    const { departures, takeovers, cordon } = this.#options;
    switch (command.command) {
      case 'reconnect':
        return departures.reconnect(command);
      case 'cancel':
        return departures.cancel(command.move);
      case 'takeover':
        return takeovers.onTakeover(command);
      case 'released':
        return takeovers.onReleased(command);
      case 'cordon':
        return cordon(true);
      case 'uncordon':
        return cordon(false);
      case 'where':
        return this.#answerWhere(command);
      case 'disconnect':
        this.#answerWhere(command);
        for (const session of this.#options.directory.ofUser(command.uid))
          session.close(closeCodes.disconnected);
        return;
    }
  }

  #answerWhere(command: CommandOf<'where'> | CommandOf<'disconnect'>): void {
    const { config, boot, directory, publisher } = this.#options;
    const reply: EdgeReply = {
      ask: command.ask,
      node: config.node,
      boot,
      sessions: directory.ofUser(command.uid).map((session) => ({
        session: session.claims.sid,
        node: config.node,
        since: session.attachedAtMs || session.connection.openedAtMs,
        unacked: session.outbox.unacked,
        isBare: session.connection.isBare,
      })),
    };
    publisher.publish(exchanges.control, replyKey(command.reply), JSON.stringify(reply)).catch(() => {});
  }
}
