import type { Delivery, Log, Publisher, PublishOutcome } from '@evenkeel/broker';
import {
  allEdgesKey,
  type EdgeCommand,
  type EdgeReply,
  edgeCommand,
  edgeKey,
  edgeReply,
  exchanges,
  replyKey,
} from '@evenkeel/protocol';
import type { Arrivals } from './arrivals.js';
import { readJson } from './json.js';
import type { OwnQueue, OwnQueueOptions } from './own-queue.js';
import { isSentTo, maySpeakFor, type Sender } from './sender.js';

/** How long a question to all edges waits for its replies. Questions and replies expire after it. */
export const replyWaitMs = 1_000;
/** Commands waiting for an edge at most; the oldest go first. */
const maxCommands = 100_000;
/** Commands in one message at most; the others are left out. Edges gather 64. */
const maxGathered = 1_000;
/** Of why a command is not understood, in the log. */
const maxReasonChars = 200;
/** Replies waiting for their asker at most. */
const maxReplies = 10_000;

/** The hooks of an {@link OwnQueue}. */
export type QueueHooks = Pick<OwnQueueOptions, 'onLost' | 'onRemade' | 'onRestored' | 'onChecked' | 'log'>;

interface Hold {
  /** That it logs in as: the broker vouches for it to whoever receives. */
  readonly user: string | undefined;
  readonly publisher: Publisher;
  ownQueue(options: Omit<OwnQueueOptions, 'isDurable'>): OwnQueue;
}

/** `mesh.control`: commands to edges, and what edges reply. */
export class Control {
  readonly #mesh: Hold;

  constructor(mesh: Hold) {
    this.#mesh = mesh;
  }

  /**
   * Sends a command to one edge. Resolves when the broker has it, with `unrouted` when no edge of that name takes commands.
   * An edge that has not taken it after `waitMs` never does: so what was reported as failed is not carried out later.
   * @throws BrokerError `publish-timeout` after `waitMs`, and the publisher's others.
   */
  send(node: string, command: EdgeCommand, waitMs: number): Promise<PublishOutcome> {
    return this.sendRaw(edgeKey(node), JSON.stringify(command), waitMs);
  }

  /** Sends a command to every edge; see {@link Control.send}. */
  sendToAll(command: EdgeCommand, waitMs: number): Promise<PublishOutcome> {
    return this.sendRaw(allEdgesKey, JSON.stringify(command), waitMs);
  }

  /** Sends what is JSON already: one command, or several in an array. */
  sendRaw(key: string, body: string, waitMs: number): Promise<PublishOutcome> {
    const properties = { contentType: 'application/json', mandatory: true, userId: this.#mesh.user };
    return this.#mesh.publisher.publish(exchanges.control, key, body, properties, waitMs);
  }

  /** Replies to a question. A reply that cannot be sent is not missed: the asker tells which edges were silent. */
  async reply(asker: string, reply: EdgeReply): Promise<void> {
    const properties = { contentType: 'application/json', userId: this.#mesh.user };
    await this.#mesh.publisher.publish(
      exchanges.control,
      replyKey(asker),
      JSON.stringify(reply),
      properties,
      replyWaitMs,
    );
  }

  /**
   * The queue of commands to `node`. What is no command is logged and dropped. A command is `late` when its sender may have
   * given it up: the broker drops what nobody has taken in time, but not what lay in a process that stood still.
   */
  commands(
    node: string,
    onCommand: (command: EdgeCommand, sender: Sender, isLate: boolean) => void,
    { arrivals, ...hooks }: QueueHooks & { arrivals?: Arrivals } = {},
  ): OwnQueue {
    return this.#mesh.ownQueue({
      name: `control.${node}`,
      arguments: { 'x-max-length': maxCommands },
      bindings: [
        { exchange: exchanges.control, key: edgeKey(node) },
        { exchange: exchanges.control, key: allEdgesKey },
      ],
      onDelivery: (delivery) => {
        delivery.ack();
        const sender = { user: delivery.properties.userId };
        const isLate = arrivals !== undefined && arrivals.countDown(delivery)() <= 0;
        for (const command of readCommands(delivery, hooks.log)) onCommand(command, sender, isLate);
      },
      ...hooks,
    });
  }

  /** The queue of replies to the questions of `asker`. */
  replies(
    asker: string,
    onReply: (reply: EdgeReply) => void,
    options: { name: string } & QueueHooks,
  ): OwnQueue {
    return this.#mesh.ownQueue({
      arguments: { 'x-max-length': maxReplies },
      bindings: [{ exchange: exchanges.control, key: replyKey(asker) }],
      onDelivery: (delivery) => {
        delivery.ack();
        const reply = edgeReply.safeParse(readJson(delivery.body));
        const sender = { user: delivery.properties.userId };
        // To another asker it came by a foreign binding.
        const isOurs =
          reply.success && delivery.key === replyKey(asker) && isSentTo(delivery, exchanges.control);
        if (isOurs && maySpeakFor(sender, reply.data.node)) onReply(reply.data);
        else options.log?.warn({ key: delivery.key, reason: reply.error?.message }, 'reply not understood');
      },
      ...options,
    });
  }
}

/** The commands in one message. What is none is logged and left out. */
export function readCommands(
  delivery: Pick<Delivery, 'body' | 'exchange' | 'key' | 'properties'>,
  log?: Log,
): EdgeCommand[] {
  if (!isSentTo(delivery, exchanges.control)) {
    log?.warn(
      { key: delivery.key, reason: `it was not sent to ${exchanges.control}` },
      'command not understood',
    );
    return [];
  }
  const value = readJson(delivery.body);
  const commands: EdgeCommand[] = [];
  const reasons: unknown[] = [];
  // Edges gather commands to each other in arrays.
  for (const each of Array.isArray(value) ? value.slice(0, maxGathered) : [value]) {
    const parsed = edgeCommand.safeParse(each);
    if (parsed.success) commands.push(parsed.data);
    else {
      const [issue] = parsed.error.issues;
      reasons.push(issue && [...issue.path, issue.message].join(': ').slice(0, maxReasonChars));
    }
  }
  const [reason] = reasons;
  if (reasons.length > 0)
    log?.warn({ key: delivery.key, reason, count: reasons.length }, 'command not understood');
  return commands;
}
