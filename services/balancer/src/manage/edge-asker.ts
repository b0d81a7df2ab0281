import { randomUUID } from 'node:crypto';
import type { Broker, Publisher } from '@evenkeel/broker';
import {
  allEdgesKey,
  type EdgeReply,
  edgeReply,
  exchanges,
  NameError,
  replyKey,
  toUid,
} from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { NodeView } from '../core/cluster/state.js';
import { type Answer, ManageError } from './answers.js';

const WAIT_MS = 1000;
const MAX_OPEN = 100;

interface Question {
  readonly waitsFor: Set<string>;
  readonly replies: EdgeReply[];
  finish(): void;
}

/** Asks every edge about a user and gathers the answers, for a second at most. */
export class EdgeAsker {
  readonly #consuming: Broker;
  readonly #publisher: Publisher;
  readonly #id: string;
  readonly #log: Log;
  readonly #open = new Map<string, Question>();

  constructor(consuming: Broker, publisher: Publisher, id: string, log: Log) {
    this.#consuming = consuming;
    this.#publisher = publisher;
    this.#id = id;
    this.#log = log;
  }

  async start(): Promise<void> {
    const queue = `balancer.${this.#id}.replies.${randomUUID().slice(0, 8)}`;
    await this.#consuming.declare({
      queues: [{ name: queue, durable: false, exclusive: true, arguments: { 'x-max-length': 10_000 } }],
      bindings: [{ queue, exchange: exchanges.control, key: replyKey(this.#id) }],
    });
    await this.#consuming.consumers({ channels: 1, prefetch: 200 }).consume(queue, {
      onDelivery: (d) => {
        d.ack();
        this.#take(d.body);
      },
    });
  }

  /** @throws ManageError `bad-user`, `busy`. */
  async ask(command: 'where' | 'disconnect', user: string, nodes: readonly NodeView[]): Promise<Answer> {
    if (this.#open.size >= MAX_OPEN)
      throw new ManageError('busy', `${MAX_OPEN} questions are open; ask again in a second`);
    const uid = carried(user);
    const ask = randomUUID();
    const waitsFor = new Set(
      nodes.filter((n) => n.phase !== 'gone' && n.phase !== 'suspect').map((n) => n.node),
    );
    const replies: EdgeReply[] = [];
    const asked = new Set(waitsFor);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, WAIT_MS);
      const finish = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#open.set(ask, { waitsFor, replies, finish });
      if (waitsFor.size === 0) finish();
      const body = JSON.stringify({ command, uid, reply: this.#id, ask });
      this.#publisher
        .publish(exchanges.control, allEdgesKey, body, { contentType: 'application/json', expiration: 5000 })
        .catch(reject);
    }).finally(() => this.#open.delete(ask));
    return {
      ok: true,
      user,
      sessions: replies.flatMap((r) => r.sessions),
      answered: asked.size - waitsFor.size,
      missing: [...waitsFor],
    };
  }

  #take(body: Buffer): void {
    try {
      const reply = edgeReply.parse(JSON.parse(body.toString('utf8')));
      const question = this.#open.get(reply.ask);
      if (
        question === undefined ||
        question.replies.some((r) => r.node === reply.node && r.boot === reply.boot)
      )
        return;
      question.replies.push(reply);
      question.waitsFor.delete(reply.node);
      if (question.waitsFor.size === 0) question.finish();
    } catch (error) {
      this.#log.debug({ err: error }, 'answer of an edge unreadable');
    }
  }
}

function carried(user: string): string {
  try {
    return toUid(user);
  } catch (error) {
    if (error instanceof NameError) throw new ManageError('bad-user', error.message);
    throw error;
  }
}
