import {
  type ClientFrame,
  defaults,
  type EdgeFrame,
  type ErrorCode,
  errorCodes,
  eventName,
  type HelloFrame,
  isTopicPattern,
  partHeader,
  partsHeader,
  topicKey,
  topicOfKey,
} from '@evenkeel/protocol/wire';
import type { MemoryBroker } from '../broker/broker.js';
import type { Item, Message, Queue, QueueConsumer } from '../broker/queue.js';
import { headersOf, type InboundFrame, payloadOf, timeOf } from './payload.js';
import type { Asked } from './permissions.js';
import type { MemorySocket, SocketOwner } from './socket.js';

/** The session of a connection, as far as it matters to it. */
export interface ConnectionHost {
  hello(connection: EdgeConnection, frame: HelloFrame): void;
  bye(): void;
  /** A promise where a service is asked. */
  may(action: Asked['action'], topic: string): boolean | Promise<boolean>;
  /** What `refresh` is answered with. */
  refresh(re: string, token: string): EdgeFrame;
  carry(kind: 'publish' | 'request', id: string, key: string, frame: InboundFrame): EdgeFrame | undefined;
  /** A part of its answer is here. */
  parted(id: string): void;
  /** Its answer has ended; true: there were parts. */
  replied(id: string): boolean;
  /** The client wants no more of its answer. */
  cancel(id: string): void;
  /** The client has acknowledged it. */
  received(message: Message): void;
  /** Nothing that was sent waits for an acknowledgement any more. */
  acknowledged(connection: EdgeConnection): void;
  ended(connection: EdgeConnection): void;
}

const forbidden = (action: Asked['action'], topic: string) => ({
  t: 'error' as const,
  code: errorCodes.forbidden,
  message: `this user may not ${action} ${topic}; the option allow of the mesh says so`,
});

/** What no topic of the double has. */
const notKept: ReadonlyMap<string, ErrorCode> = new Map([
  ['history', errorCodes.noHistory],
  ['presence', errorCodes.noPresence],
]);

/** One socket at an edge: its frames, its events without an acknowledgement, its topics. */
export class EdgeConnection implements SocketOwner, QueueConsumer {
  readonly prefetch = defaults.window;
  readonly id: string;
  readonly node: string;
  readonly ticket: string;
  /** `moved` has been sent: only acknowledgements count. */
  isMoved = false;
  isGone = false;
  /** Calls accepted. */
  calls = 0;
  /** Of the last event sent. */
  seq = 0;
  readonly #socket: MemorySocket;
  readonly #host: ConnectionHost;
  readonly #broker: MemoryBroker;
  readonly #topics = new Set<string>();
  #topicQueue: Queue | undefined;
  #eventQueue: Queue | undefined;
  #unacknowledged: { seq: number; item: Item }[] = [];

  constructor(
    id: string,
    at: { node: string; ticket: string },
    socket: MemorySocket,
    host: ConnectionHost,
    broker: MemoryBroker,
  ) {
    this.id = id;
    this.node = at.node;
    this.ticket = at.ticket;
    this.#socket = socket;
    this.#host = host;
    this.#broker = broker;
  }

  get topics(): readonly string[] {
    return [...this.#topics];
  }
  get isAcknowledged(): boolean {
    return this.#unacknowledged.length === 0;
  }

  write(frame: EdgeFrame): void {
    this.#socket.write(frame);
  }

  shut(code: number, reason: string): void {
    this.#socket.shut(code, reason);
  }

  cut(): void {
    this.#socket.cut();
  }

  /** Events come from this queue from now on. */
  consume(queue: Queue): void {
    this.#eventQueue = queue;
    queue.consume(this);
  }

  /** No further event. */
  stop(): void {
    this.#eventQueue?.stop(this);
  }

  /** What is not acknowledged goes back to the queue. */
  giveBack(): void {
    this.stop();
    const items = this.#unacknowledged.map(({ item }) => item);
    this.#unacknowledged = [];
    this.#eventQueue?.requeue(this, items);
  }

  join(topic: string): void {
    this.#topics.add(topic);
    const name = `edge.${this.node}.${this.id}`;
    const options = { durable: false, exclusive: false, autoDelete: false, arguments: {} };
    this.#topicQueue ??= this.#broker.declareQueue(name, options);
    if (this.#topics.size === 1) this.#consumeTopics(this.#topicQueue);
    this.#broker.bind(this.#topicQueue, 'mesh.events', topicKey(topic));
  }

  leaveAll(): void {
    if (this.#topicQueue) this.#broker.deleteQueue(this.#topicQueue);
    this.#topicQueue = undefined;
    this.#topics.clear();
  }

  received(text: string): void {
    const frame = JSON.parse(text) as ClientFrame;
    if (this.isMoved && frame.t !== 'ack') return;
    switch (frame.t) {
      case 'hello':
        return this.#hello(frame);
      case 'ack':
        return this.#acknowledge(frame.seq);
      case 'ping':
        return this.write({ t: 'pong' });
      case 'bye':
        return this.#host.bye();
      case 'cancel':
        return this.#host.cancel(frame.re);
      case 'refresh':
        return this.write(this.#host.refresh(frame.id, frame.token));
      case 'unsubscribe':
        this.calls++;
        return this.write(this.#changeTopic(frame.t, frame.id, frame.topic));
      case 'subscribe':
        this.calls++;
        return this.#ifAllowed(frame.t, frame.topic, frame.id, () =>
          this.write(this.#changeTopic(frame.t, frame.id, frame.topic)),
        );
      case 'publish':
      case 'request': {
        this.calls++;
        const key = frame.t === 'request' ? frame.method : frame.topic;
        return this.#ifAllowed(frame.t, key, frame.id, () => {
          const answer = this.#host.carry(frame.t, frame.id, key, frame);
          if (answer) this.write(answer);
        });
      }
      default: {
        const { t, id: re } = frame as { t: unknown; id?: string };
        const code = notKept.get(String(t)) ?? errorCodes.unknownType;
        const message = `the double knows no frame "${String(t)}"`;
        this.write({ t: 'error', ...(re !== undefined && { re }), code, message });
      }
    }
  }

  ended(): void {
    this.isGone = true;
    this.leaveAll();
    this.#host.ended(this);
  }

  /** One event, or a service's reply, of the session's queue. */
  deliver(item: Item): void {
    const { message } = item;
    const { correlationId: re } = message.properties;
    if (re !== undefined) return this.#reply(re, item);
    const counted = this.#counted(item);
    this.write({
      t: 'event',
      ...counted,
      id: message.properties.messageId ?? `~${this.id}.${counted.seq}`,
      name: eventName(message.key) ?? message.key,
      ...payloadOf(message),
      at: timeOf(message),
      ...headersOf(message),
    });
  }

  /** A part of an answer, or its end. What belongs to parts is counted, and acknowledged, with the events. */
  #reply(re: string, item: Item): void {
    const { message } = item;
    const { headers = {} } = message.properties;
    const n = headers[partHeader];
    const parts = headers[partsHeader];
    if (typeof n === 'number') {
      this.#host.parted(re);
      return this.write({
        t: 'part',
        ...this.#counted(item),
        re,
        n,
        ...payloadOf(message),
        ...headersOf(message),
      });
    }
    const hasParts = this.#host.replied(re) || (typeof parts === 'number' && parts > 0);
    const about = {
      re,
      ...(hasParts && this.#counted(item)),
      ...(typeof parts === 'number' && parts > 0 && { parts }),
    };
    const code = headers['evenkeel-error'];
    if (code === undefined) this.write({ t: 'ok', ...about, ...payloadOf(message) });
    else {
      const text = message.body.toString();
      this.write({ t: 'error', ...about, code: String(code), message: text, from: 'service' });
    }
    if (!hasParts) this.#eventQueue?.settle(this, item);
  }

  #counted(item: Item): { seq: number; redelivered?: true } {
    const seq = ++this.seq;
    this.#unacknowledged.push({ seq, item });
    return { seq, ...(item.isRedelivered && { redelivered: true }) };
  }

  cancelled(): void {
    this.#unacknowledged = [];
  }

  #acknowledge(seq: number): void {
    const handled = this.#unacknowledged.filter((each) => each.seq <= seq);
    this.#unacknowledged = this.#unacknowledged.filter((each) => each.seq > seq);
    for (const { item } of handled) {
      this.#host.received(item.message);
      this.#eventQueue?.settle(this, item);
    }
    if (this.isAcknowledged) this.#host.acknowledged(this);
  }

  #hello(frame: HelloFrame): void {
    const topics = (frame.topics ?? []).map((each) => (typeof each === 'string' ? each : each.topic));
    const go = (allowed: readonly boolean[]): void => {
      if (this.isGone) return;
      for (const [n, topic] of topics.entries())
        if (!allowed[n]) this.write({ ...forbidden('subscribe', topic), topic });
      this.#host.hello(this, { ...frame, topics: topics.filter((_, n) => allowed[n]) });
    };
    const asked = topics.map((topic) => !isTopicPattern(topic) || this.#host.may('subscribe', topic));
    const atOnce = asked.filter((each) => typeof each === 'boolean');
    if (atOnce.length === asked.length) return go(atOnce);
    void Promise.all(asked).then(go);
  }

  #ifAllowed(action: Asked['action'], topic: string, re: string, carryOut: () => void): void {
    const go = (isAllowed: boolean): void => {
      if (isAllowed) carryOut();
      else this.write({ ...forbidden(action, topic), re });
    };
    // What is no name is refused by whoever carries it out.
    const asked = !isTopicPattern(topic) || this.#host.may(action, topic);
    if (typeof asked === 'boolean') return go(asked);
    void asked.then(go);
  }

  /** As when a grant is taken away. */
  takeAway(topic: string): void {
    this.#leave(topic);
    this.write({ t: 'unsubscribed', topic, reason: 'revoked' });
  }

  #leave(topic: string): void {
    if (this.#topics.delete(topic) && this.#topicQueue)
      this.#broker.unbind(this.#topicQueue, 'mesh.events', topicKey(topic));
  }

  #changeTopic(kind: 'subscribe' | 'unsubscribe', id: string, topic: string): EdgeFrame {
    const refuse = (code: string, message: string): EdgeFrame => ({ t: 'error', re: id, code, message });
    if (!isTopicPattern(topic))
      return refuse(errorCodes.badTopic, 'a topic is words of A-Z a-z 0-9 _ ~ - joined by dots');
    if (kind === 'subscribe') {
      const limit = defaults.maxTopicsPerConnection;
      if (!this.#topics.has(topic) && this.#topics.size >= limit)
        return refuse(errorCodes.topicLimit, `at most ${limit} topics; unsubscribe from one`);
      this.join(topic);
    } else this.#leave(topic);
    return { t: 'ok', re: id };
  }

  #consumeTopics(queue: Queue): void {
    const consumer: QueueConsumer = {
      prefetch: 0,
      deliver: (item) => {
        const { message } = item;
        this.write({
          t: 'message',
          topic: topicOfKey(message.key) ?? message.key,
          id: message.properties.messageId ?? `~${this.id}.${item.place}`,
          ...payloadOf(message),
          at: timeOf(message),
          ...headersOf(message),
        });
        queue.settle(consumer, item);
      },
      cancelled: () => {},
    };
    queue.consume(consumer);
  }
}
