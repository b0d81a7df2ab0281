import type { CallKind } from '../calls/calls.js';
import type { PartedConnection } from '../seams/connection.js';
import type { HelloAdds, Part } from '../seams/part.js';

/** Keeps where the client is in each topic with history, and says so in every `hello`: what it has missed comes next. */
export class HistoryPositions implements Part {
  /** Of the last message that the handlers of a topic have got. */
  readonly #positions = new Map<string, string>();

  constructor({ topicTable }: Pick<PartedConnection, 'topicTable'>) {
    topicTable.onMessage(({ topic, position }) => {
      // By a pattern it is of a topic that may not be subscribed.
      if (position !== undefined && topicTable.entriesOf.has(topic)) this.#positions.set(topic, position);
    });
  }

  hello(adds: HelloAdds): void {
    adds.topics = adds.topics.map((wanted) => {
      const topic = typeof wanted === 'string' ? wanted : wanted.topic;
      const since = this.#positions.get(topic);
      if (since === undefined) return wanted;
      const { last: _, ...wishes } = typeof wanted === 'string' ? { topic } : wanted;
      return { ...wishes, since };
    });
  }

  call(kind: CallKind, name: string): undefined {
    // Whoever subscribes it later begins with what it says.
    if (kind === 'unsubscribe') this.#positions.delete(name);
  }
}
