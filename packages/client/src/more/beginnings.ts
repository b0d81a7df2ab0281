import type { CallOptions } from '../calls/patience.js';
import type { PartedConnection } from '../seams/connection.js';
import type { AnyFrame, Part } from '../seams/part.js';
import { unheard } from '../seams/unheard.js';
import type { TopicWishes } from '../seams/wishes.js';
import type { Subscription } from '../topics/subscribe.js';
import type { EdgeSocket } from '../transport/edge-socket.js';

/** Who subscribes. */
export interface Beginner {
  readonly topic: string;
  readonly wishes: TopicWishes;
  readonly options: CallOptions;
  /** Enters the subscription; its handler hears nothing before `hear` is called. */
  enter(): Promise<Subscription>;
  hear(): void;
}

/**
 * The past of a topic that is subscribed already, but by nobody who hears its messages: the edge is asked once more, and begins it anew.
 * What comes before it answers belongs to the past that comes behind the answer, or is older than what was asked for.
 */
export class Beginnings implements Part {
  readonly #connection: PartedConnection;
  readonly #asked = new Map<string, () => void>();
  readonly #prefix = `${Math.random().toString(36).slice(2, 12)}-b`;
  #counter = 0;

  constructor(connection: PartedConnection) {
    this.#connection = connection;
  }

  async subscribe({ topic, wishes, options, enter, hear }: Beginner): Promise<Subscription> {
    const { since, last } = wishes;
    if ((since ?? last) === undefined || !this.#isUnheard(topic)) {
      hear();
      return enter();
    }
    const id = this.#prefix + (this.#counter++).toString(36);
    const { anew } = this.#connection;
    anew.add(id);
    this.#asked.set(id, hear);
    const entering = enter();
    try {
      const asking = this.#connection.ask('subscribe', topic, undefined, options, { since, last }, id);
      const [subscription] = await Promise.all([entering, asking]);
      return subscription;
    } catch (error) {
      entering.then(
        (subscription) => subscription.unsubscribe(),
        () => {},
      );
      throw error;
    } finally {
      anew.delete(id);
      this.#asked.delete(id);
    }
  }

  /** At once: what comes behind the answer is to be heard. */
  received(_socket: EdgeSocket, frame: AnyFrame): undefined {
    if (frame.t === 'ok') this.#asked.get(String(frame.re))?.();
  }

  /** An edge knows of it, or is about to, by those alone who do not hear its messages. Else `hello` asks for its past. */
  #isUnheard(topic: string): boolean {
    const { topicTable, hasToldTopics } = this.#connection;
    const all = topicTable.entriesOf.get(topic)?.subscribers.all ?? [];
    return hasToldTopics && all.length > 0 && all.every(({ handler }) => handler === unheard);
  }
}
