import { monotonicNow } from '@evenkeel/pace';
import type { CallKind } from '../calls/calls.js';
import type { PartedConnection } from '../seams/connection.js';
import type { AnyFrame, HelloAdds, Part } from '../seams/part.js';
import type { Status } from '../status.js';
import type { Topic } from '../topics/topics.js';
import type { EdgeSocket } from '../transport/edge-socket.js';

type Uses = Pick<PartedConnection, 'topicTable' | 'activeSocket' | 'wishes' | 'say'>;

/** What an edge says of a topic that begins: `position` and `recovered`, where it has history. */
type Said = Readonly<Record<string, unknown>>;

/** Where a topic has begun. */
interface Begun {
  readonly socket: EdgeSocket;
  readonly position: string;
}

/**
 * Keeps where the client is in each topic with history, and says so in every `hello`: what it has missed comes next. A topic of which
 * nothing has come is where it began: its answer says that. Messages of before may be under way behind the answer, so that counts from a
 * `pong` on: an edge answers in order.
 */
export class HistoryPositions implements Part {
  readonly #connection: Uses;
  /** Of the last message that the handlers of a topic have got, or where it began. A topic that is joined once more begins anew. */
  readonly #positions = new WeakMap<Topic, string>();
  /** Those of which no message has come, until a `pong` shows that none is under way. */
  readonly #begun = new Map<Topic, Begun>();
  /** Has not answered a ping of this part. */
  #pinged: EdgeSocket | undefined;
  /** For which the last `hello` after a loss said one: the edge gives all that follows, or tells a gap itself. */
  #said = new Set<string>();

  constructor(connection: Uses) {
    this.#connection = connection;
    const { topicTable } = connection;
    topicTable.onMessage(({ topic, position }) => {
      // By a pattern it is of a topic that may not be subscribed.
      const entry = topicTable.entriesOf.get(topic);
      if (position === undefined || !entry) return;
      this.#positions.set(entry, position);
      this.#begun.delete(entry);
    });
  }

  hello(adds: HelloAdds): void {
    this.#said = new Set();
    // The new edge of a move goes on behind what the old one has written, read or not.
    const isMove = this.#connection.activeSocket !== undefined;
    adds.topics = adds.topics.map((wanted) => {
      const topic = typeof wanted === 'string' ? wanted : wanted.topic;
      const entry = this.#connection.topicTable.entriesOf.get(topic);
      const since = entry && this.#positions.get(entry);
      if (since === undefined) return wanted;
      if (!isMove) this.#said.add(topic);
      const { last: _, ...wishes } = typeof wanted === 'string' ? { topic } : wanted;
      return { ...wishes, since };
    });
  }

  received(socket: EdgeSocket, frame: AnyFrame): undefined {
    if (frame.t === 'subscribed' && frame.by === 'hello') this.#begins(socket, String(frame.topic), frame);
    if (frame.t === 'pong') this.#allHasCome(socket);
  }

  answered(kind: CallKind, name: string, data: unknown): void {
    const { activeSocket } = this.#connection;
    if (kind === 'subscribe' && activeSocket && data) this.#begins(activeSocket, name, data as Said);
  }

  welcomed(): void {
    if (this.#begun.size > 0) this.#ping();
  }

  /** Where the very first socket was lost before its `welcome` the core takes it for a loss. */
  status(status: Status): boolean {
    if (status.type === 'disconnected') this.#begun.clear();
    return status.type === 'gap' && status.reason === 'connection-lost' && this.#said.has(status.topic ?? '');
  }

  #begins(socket: EdgeSocket, topic: string, { position, recovered }: Said): void {
    const { topicTable, wishes } = this.#connection;
    const entry = topicTable.entriesOf.get(topic);
    if (!entry || typeof position !== 'string') return;
    const isKnown = this.#positions.has(entry) || wishes.of(topic)?.since !== undefined;
    // Where something is gone behind the position that the client has said, that is of no use any more.
    if (isKnown && recovered !== false) return;
    this.#positions.delete(entry);
    this.#begun.set(entry, { socket, position });
    this.#ping();
  }

  /** One for all that is answered meanwhile. */
  #ping(): void {
    const { activeSocket } = this.#connection;
    if (!activeSocket || activeSocket === this.#pinged) return;
    // Where the edge takes no more now, there are calls that wait: one of their answers, or the next beat, brings another.
    if (activeSocket.pace?.tryTake(monotonicNow()) === false) return;
    if (this.#connection.say({ t: 'ping' })) this.#pinged = activeSocket;
  }

  #allHasCome(from: EdgeSocket): void {
    if (this.#pinged === from) this.#pinged = undefined;
    for (const [entry, { socket, position }] of this.#begun) {
      if (socket !== from) continue;
      this.#begun.delete(entry);
      // What the new socket of a move has brought waits until the old one has finished, and has positions of its own.
      if (entry.kept.length === 0) this.#positions.set(entry, position);
    }
  }
}
