import type { CallKind } from '../calls/calls.js';
import type { PartedConnection } from '../seams/connection.js';
import type { HelloAdds, Part } from '../seams/part.js';
import type { Status } from '../status.js';

/** Keeps where the client is in each topic with history, and says so in every `hello`: what it has missed comes next. */
export class HistoryPositions implements Part {
  /** Of the last message that the handlers of a topic have got. */
  readonly #positions = new Map<string, string>();
  /** For which the last `hello` said one: the edge gives all that follows, or tells a gap itself. */
  #said = new Set<string>();

  constructor({ topicTable }: Pick<PartedConnection, 'topicTable'>) {
    topicTable.onMessage(({ topic, position }) => {
      // By a pattern it is of a topic that may not be subscribed.
      if (position !== undefined && topicTable.entriesOf.has(topic)) this.#positions.set(topic, position);
    });
  }

  hello(adds: HelloAdds): void {
    this.#said = new Set();
    adds.topics = adds.topics.map((wanted) => {
      const topic = typeof wanted === 'string' ? wanted : wanted.topic;
      const since = this.#positions.get(topic);
      if (since === undefined) return wanted;
      this.#said.add(topic);
      const { last: _, ...wishes } = typeof wanted === 'string' ? { topic } : wanted;
      return { ...wishes, since };
    });
  }

  /** Where an old socket was lost in a move and the new one repeated nothing, the core takes it for a loss. */
  status(status: Status): boolean {
    return status.type === 'gap' && status.reason === 'connection-lost' && this.#said.has(status.topic ?? '');
  }

  call(kind: CallKind, name: string): undefined {
    // Whoever subscribes it later begins with what it says.
    if (kind === 'unsubscribe') this.#positions.delete(name);
  }
}
