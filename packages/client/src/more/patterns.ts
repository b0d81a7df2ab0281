import { isPattern, isTopicPattern, matches } from '@evenkeel/protocol/wire';
import { shown } from '../check.js';
import { ClientError } from '../errors.js';
import { callEach, type Handling } from '../handlers.js';
import type { PartedConnection } from '../seams/connection.js';
import type { AnyFrame, Part } from '../seams/part.js';
import type { MessageHandler, Topic, TopicMessage, Topics } from '../topics/topics.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { inherit } from './heirs.js';

/** Topics whose subscriptions are remembered at most; beyond it they are all looked up anew. */
const maxKnown = 1_000;
/** So many messages with a position are remembered as handed on by patterns. */
const maxHanded = 4_096;

/** @throws ClientError `bad-name` for what is no topic, nor a pattern of topics. */
export function checkSubscribable(name: unknown): void {
  if (isTopicPattern(name)) return;
  const needed = 'words of [A-Za-z0-9_~-], or * or #, joined by dots, at most 200 bytes';
  throw new ClientError('bad-name', `name must be ${needed}, got ${shown(name)}`);
}

/**
 * Hands messages to the handlers of every subscription that matches, by name or by pattern. The edge sends each message once, however
 * many do: so one of them, the oldest, is the one that has it in the table of topics, which merges two sockets and drops repeats. There,
 * in the place of handlers stand others that do nothing.
 */
export class Patterns implements Part {
  readonly #table: Topics;
  readonly #failed: (error: unknown, message: TopicMessage) => void;
  readonly #handlers = new WeakMap<MessageHandler, MessageHandler>();
  readonly #patterns = new Map<string, Topic>();
  readonly #ages = new WeakMap<Topic, number>();
  readonly #memory: number;
  /** Topics and positions of what patterns have brought. */
  readonly #handed = new Set<string>();
  #age = 0;
  readonly #known = new Map<string, readonly Topic[]>();

  constructor({ topicTable, statusFeed }: PartedConnection, memory = 512) {
    this.#table = topicTable;
    this.#memory = memory;
    this.#failed = (error, { id, topic }) =>
      statusFeed.emit({ type: 'handler-error', error, id, name: topic });
    const { entriesOf } = topicTable;
    const { set, delete: remove } = Map.prototype;
    entriesOf.set = (name, entry) => {
      if (entriesOf.get(name) !== entry) this.#entered(name, entry);
      return set.call(entriesOf, name, entry) as typeof entriesOf;
    };
    entriesOf.delete = (name) => {
      const entry = entriesOf.get(name);
      const isThere = remove.call(entriesOf, name);
      if (entry) this.#left(name, entry);
      return isThere;
    };
    topicTable.onMessage((message) => this.#hand(message));
  }

  /** From now on `handler` hears what comes for `standIn`, which the table of topics has in its place. */
  hear(standIn: MessageHandler, handler: MessageHandler): void {
    this.#handlers.set(standIn, handler);
  }

  received(socket: EdgeSocket, frame: AnyFrame): boolean {
    if (frame.t !== 'message' || this.#patterns.size === 0) return false;
    const [owner] = this.#matching(frame.topic as string);
    if (owner && !socket.isMoved)
      this.#table.receive(socket, frame as unknown as Parameters<Topics['receive']>[1], owner);
    return true;
  }

  #entered(name: string, entry: Topic): void {
    this.#ages.set(entry, this.#age++);
    if (isPattern(name)) this.#patterns.set(name, entry);
    this.#known.clear();
  }

  #left(name: string, entry: Topic): void {
    this.#patterns.delete(name);
    this.#known.clear();
    // Only where patterns are, one has what others want too.
    if (this.#patterns.size === 0 && !isPattern(name)) return;
    const left = [...this.#table.entriesOf.values()];
    inherit(entry, left, (topic) => this.#matching(topic)[0], this.#memory);
  }

  /** Subscriptions that `topic` is of, the oldest first. */
  #matching(topic: string): readonly Topic[] {
    const known = this.#known.get(topic);
    if (known) return known;
    const entry = this.#table.entriesOf.get(topic);
    const found = entry ? [entry] : [];
    for (const [pattern, entry] of this.#patterns) if (matches(pattern, topic)) found.push(entry);
    found.sort((a, b) => (this.#ages.get(a) ?? 0) - (this.#ages.get(b) ?? 0));
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.set(topic, found);
    return found;
  }

  #hand(message: TopicMessage): void {
    const given = new Set<MessageHandler>();
    const matching = this.#matching(message.topic);
    const own = this.#table.entriesOf.get(message.topic);
    // A topic whose past is asked for, later than a pattern that it matches, brings again what that one has had.
    const isHad = matching.some((entry) => entry !== own) && this.#isHanded(message);
    const all = matching.flatMap((entry) => {
      const { subscribers } = entry;
      if (isHad && entry !== own) return [];
      const mine = subscribers.all.flatMap((each) => this.#real(each, given));
      for (const { handler } of mine) if (handler) given.add(handler);
      return mine;
    });
    callEach(all, message, (error) => this.#failed(error, message));
  }

  /** Whether it is of the past, and patterns have brought it already. */
  #isHanded({ topic, position, past }: TopicMessage): boolean {
    if (position === undefined) return false;
    const key = `${topic} ${position}`;
    if (this.#handed.has(key)) return past === true;
    this.#handed.add(key);
    for (const oldest of this.#handed) {
      if (this.#handed.size <= maxHanded) break;
      this.#handed.delete(oldest);
    }
    return false;
  }

  /** One that several subscriptions have been given gets a message once; within one subscription each counts. */
  #real(
    entered: Handling<TopicMessage>,
    given: ReadonlySet<MessageHandler>,
  ): { readonly handler: MessageHandler | undefined }[] {
    const real = entered.handler && this.#handlers.get(entered.handler);
    if (!real || given.has(real)) return [];
    // One that ends while others are called is called no more.
    const current = (): MessageHandler | undefined => entered.handler && real;
    return [
      {
        get handler() {
          return current();
        },
      },
    ];
  }
}
