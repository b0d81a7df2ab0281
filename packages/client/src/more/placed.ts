import type { CallKind } from '../calls/calls.js';
import type { PartedConnection } from '../seams/connection.js';
import type { AnyFrame, HelloAdds, Part } from '../seams/part.js';
import type { EdgeSocket } from '../transport/edge-socket.js';

/**
 * The topics that services have put this session into: they are subscribed as if the client had asked, until a service takes them
 * away, and named in every `hello` with what proves them.
 */
export class Placements implements Part {
  readonly #proofs = new Map<string, string>();
  readonly #topics: PartedConnection['topicTable'];

  constructor({ topicTable }: Pick<PartedConnection, 'topicTable'>) {
    this.#topics = topicTable;
  }

  hello(adds: HelloAdds): void {
    adds.topics = adds.topics.map((wanted) => {
      const topic = typeof wanted === 'string' ? wanted : wanted.topic;
      const proof = this.#proofs.get(topic);
      return proof === undefined ? wanted : { ...(typeof wanted === 'string' ? { topic } : wanted), proof };
    });
  }

  received(_socket: EdgeSocket, { t, topic, by, proof }: AnyFrame): undefined {
    if (typeof topic !== 'string') return;
    if (t === 'unsubscribed') this.#proofs.delete(topic);
    if (t !== 'subscribed' || by !== 'service') return;
    if (!this.#proofs.has(topic)) this.#enter(topic);
    this.#proofs.set(topic, typeof proof === 'string' ? proof : '');
  }

  call(kind: CallKind, name: string): undefined {
    if (kind === 'unsubscribe') this.#proofs.delete(name);
  }

  /** A subscriber without a handler keeps it; whoever subscribes it as well has its answer already. */
  #enter(topic: string): void {
    const { topicEntry } = this.#topics.add(topic);
    topicEntry.asked ??= Promise.resolve();
    topicEntry.isGranted = true;
  }
}
