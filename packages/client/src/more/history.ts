import type { PartedConnection } from '../seams/connection.js';
import type { HelloAdds, Part } from '../seams/part.js';
import type { Status } from '../status.js';
import type { Topic, Topics } from '../topics/topics.js';

/** Keeps where the client is in each topic with history, and says so in every `hello`: what it has missed comes next. */
export class HistoryPositions implements Part {
  readonly #topics: Topics;
  /** Of the last message that the handlers of a topic have got. A topic that is joined once more begins anew. */
  readonly #positions = new WeakMap<Topic, string>();
  /** For which the last `hello` said one: the edge gives all that follows, or tells a gap itself. */
  #said = new Set<string>();

  constructor({ topicTable }: Pick<PartedConnection, 'topicTable'>) {
    this.#topics = topicTable;
    topicTable.onMessage(({ topic, position }) => {
      // By a pattern it is of a topic that may not be subscribed.
      const entry = topicTable.entriesOf.get(topic);
      if (position !== undefined && entry) this.#positions.set(entry, position);
    });
  }

  hello(adds: HelloAdds): void {
    this.#said = new Set();
    adds.topics = adds.topics.map((wanted) => {
      const topic = typeof wanted === 'string' ? wanted : wanted.topic;
      const entry = this.#topics.entriesOf.get(topic);
      const since = entry && this.#positions.get(entry);
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
}
