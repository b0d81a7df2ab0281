import { exchanges } from '@evenkeel/protocol/wire';
import type { MemoryBroker } from '../broker/broker.js';
import type { QueueConsumer } from '../broker/queue.js';

/** Who wants to do what with a topic, or with a method (`request`). */
export interface Asked {
  readonly user: string;
  readonly session: string;
  readonly action: 'subscribe' | 'publish' | 'request';
  readonly topic: string;
}

/** How long an edge waits for a service that decides. */
const answerMs = 5_000;

/** Who may do what: as the test says, or as a service does that it names. */
export class Permissions {
  readonly #broker: MemoryBroker;
  readonly #rule: (asked: Asked) => boolean | 'service';
  #counter = 0;

  constructor(broker: MemoryBroker, rule: (asked: Asked) => boolean | 'service' = () => true) {
    this.#broker = broker;
    this.#rule = rule;
  }

  /** At once, unless a service is asked. */
  may(asked: Asked): boolean | Promise<boolean> {
    const rule = this.#rule(asked);
    return rule === 'service' ? this.#ask(asked) : rule;
  }

  /** As PROTOCOL.md has it, without what edges remember: no test waits for an answer to be over. */
  #ask(asked: Asked): Promise<boolean> {
    const replyTo = `authorize.${++this.#counter}`;
    const queue = this.#broker.declareQueue(replyTo, {
      durable: false,
      exclusive: false,
      autoDelete: false,
      arguments: {},
    });
    this.#broker.bind(queue, exchanges.replies, replyTo);
    return new Promise<boolean>((resolve) => {
      const settle = (isAllowed: boolean): void => {
        clearTimeout(timer);
        this.#broker.deleteQueue(queue);
        resolve(isAllowed);
      };
      const timer = setTimeout(settle, answerMs, false);
      const consumer: QueueConsumer = {
        prefetch: 0,
        deliver: (item) => {
          queue.settle(consumer, item);
          settle(isYes(item.message.body));
        },
        cancelled: () => {},
      };
      queue.consume(consumer);
      const key = `$authorize.${asked.action}.${asked.topic}`;
      const properties = {
        replyTo,
        correlationId: replyTo,
        type: 'request',
        contentType: 'application/json',
      };
      if (!this.#broker.publish(exchanges.inbound, key, Buffer.from(JSON.stringify(asked)), properties))
        settle(false);
    });
  }
}

function isYes(body: Buffer): boolean {
  try {
    const answer = JSON.parse(body.toString()) as { allow?: unknown } | null;
    return answer?.allow === true;
  } catch {
    return false;
  }
}
