import type { Broker, ConsumerChannels, Delivery, Publisher } from '@evenkeel/broker';
import { isSentTo, readJson, SharedQueue } from '@evenkeel/mesh';
import {
  exchanges,
  isSid,
  isTopicPattern,
  type PlaceAnswer,
  type PlaceCommand,
  placeKey,
  queues,
  splitSessionRef,
  toUid,
} from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import { z } from 'zod';
import type { Found, Question } from '../manage/edge-queries.js';
import { directReplyPrefix, isReplyAddress } from '../manage/reply-address.js';
import type { Unanswered } from '../sessions/guardian.js';

/** Orders in hand. */
const prefetch = 64;
/** An answer that nobody has taken after this is of no use, ms. */
const answerExpireMs = 30_000;

const body = z.object({ user: z.string(), session: z.string().optional() });

export interface TopicPlacementsOptions {
  connection: Pick<Broker, 'whenOpen'>;
  consumers: Pick<ConsumerChannels, 'consume'>;
  publisher: Pick<Publisher, 'publish'>;
  /** For answers to direct reply-tos: RabbitMQ ends the connection over one that was made up. */
  directAnswers: Pick<Publisher, 'publish'>;
  ask(question: Question): Promise<Found>;
  /** What the user has on edges other than those that have answered. */
  unanswered(uid: string, answered: Found['replies']): Unanswered;
  /** That this balancer logs in as. */
  user: string | undefined;
  log: Log;
  random(): number;
}

/**
 * Takes what services order on `mesh.topics`, and puts it into the queues of the user's sessions: there it waits for a session that is
 * away or moving, in its order among the user's events.
 */
export class TopicPlacements {
  readonly #options: TopicPlacementsOptions;
  readonly #queue: SharedQueue;
  /** Orders for one user, one after another. */
  readonly #last = new Map<string, Promise<void>>();

  constructor(options: TopicPlacementsOptions) {
    this.#options = options;
    this.#queue = new SharedQueue({
      ...options,
      name: queues.topics,
      prefetch,
      onDelivery: (delivery) => this.#receive(delivery),
      missing: 'services cannot put users into topics yet',
    });
  }

  start(): void {
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  #receive(delivery: Delivery): void {
    const order = isSentTo(delivery, exchanges.topics) ? readOrder(delivery) : unreadable('another exchange');
    if ('ok' in order) return this.#finish(delivery, order);
    const { uid } = order;
    const done = (this.#last.get(uid) ?? Promise.resolve()).then(() => this.#carryOut(delivery, order));
    this.#last.set(uid, done);
    void done.finally(() => {
      if (this.#last.get(uid) === done) this.#last.delete(uid);
    });
  }

  async #carryOut(delivery: Delivery, { uid, ...order }: PlaceCommand & { uid: string }): Promise<void> {
    const { ask, unanswered, publisher, user: userId, log } = this.#options;
    try {
      const found = await ask({ command: 'where', uid });
      const silent = unanswered(uid, found.replies);
      const here = found.replies.flatMap((reply) => reply.sessions.map(({ session }) => sidOf(session)));
      // Of an edge that is gone the queue is still there.
      const all = [...new Set([...here, ...silent.sids])];
      let { length: sessions } = all.filter((sid) => order.session === undefined || order.session === sid);
      const isUnsure = found.missing.length > 0 || !silent.isAll;
      // Without a session it would be somebody else's business, on mesh.unrouted.
      if (sessions > 0 || isUnsure) {
        const properties = { contentType: 'application/json', persistent: true, mandatory: true, userId };
        const text = JSON.stringify(order);
        if ((await publisher.publish(exchanges.events, placeKey(uid), text, properties)) === 'unrouted')
          sessions = 0;
      }
      this.#finish(delivery, { ok: true, sessions });
    } catch (error) {
      log.warn({ err: error, topic: order.topic }, 'user not put into a topic, or taken out of it');
      const message = 'not done: the mesh is busy or its broker is away; try again';
      this.#finish(delivery, { ok: false, code: 'not-ready', message });
    }
  }

  #finish(delivery: Delivery, answer: PlaceAnswer): void {
    const { replyTo, correlationId } = delivery.properties;
    if (replyTo !== undefined && (replyTo.startsWith('service.') || isReplyAddress(replyTo))) {
      const { publisher, directAnswers, user: userId } = this.#options;
      const way = replyTo.startsWith(directReplyPrefix) ? directAnswers : publisher;
      const properties = {
        contentType: 'application/json',
        correlationId,
        userId,
        expiration: answerExpireMs,
        persistent: false,
      };
      way.publish('', replyTo, JSON.stringify(answer), properties).catch(() => {});
    }
    delivery.ack();
  }
}

/** `<uid>.<sid>`, or the session's id alone. */
const sidOf = (session: string): string => splitSessionRef(session).sid;

/** Reads what has come on `mesh.topics`, or says what is wrong with it. */
export function readOrder({
  key,
  body: bytes,
}: Pick<Delivery, 'key' | 'body'>): (PlaceCommand & { uid: string }) | PlaceAnswer {
  const [, command, topic = ''] = /^(join|leave)\.(.+)$/s.exec(key) ?? [];
  if (command !== 'join' && command !== 'leave') return unreadable(`the key ${key}`);
  if (!isTopicPattern(topic)) return { ok: false, code: 'bad-topic', message: `'${topic}' is no topic` };
  try {
    const { user, session } = body.parse(readJson(bytes));
    if (session !== undefined && !isSid(session)) return unreadable('its session');
    return { uid: toUid(user), command, topic, session };
  } catch {
    return unreadable('its body');
  }
}

const unreadable = (what: string): PlaceAnswer => ({
  ok: false,
  code: 'bad-command',
  message: `not understood for ${what}: key join.<topic> or leave.<topic>, body {"user": …, "session"?: …}`,
});
