import type { Frame } from '../log.js';

/** What ends the wait for a topic. */
const answers: readonly string[] = ['subscribed', 'unsubscribed', 'error'];

/** What a client's `hello` names, and up to where it has those topics that have a history. */
export class Topics {
  readonly #names: readonly string[];
  readonly #positions = new Map<string, string>();
  /** Named with a position, and not answered yet: a position of a stream that was emptied may be waited for. */
  readonly #pending = new Set<string>();

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  get isWaiting(): boolean {
    return this.#pending.size > 0;
  }

  /** For `hello`; `isNew`: of a session that has nothing yet. */
  named(isNew: boolean): (string | { topic: string; since: string })[] {
    if (isNew) this.#positions.clear();
    this.#pending.clear();
    return this.#names.map((topic) => {
      const since = this.#positions.get(topic);
      if (since === undefined) return topic;
      this.#pending.add(topic);
      return { topic, since };
    });
  }

  received({ t, topic, position, recovered }: Frame): void {
    if (typeof topic === 'string' && answers.includes(t)) this.#pending.delete(topic);
    if (typeof topic !== 'string' || typeof position !== 'string') return;
    // What a `subscribed` names comes next, unless a gap says that it does not.
    const isFresh = t === 'subscribed' && (recovered === false || !this.#positions.has(topic));
    if (t === 'message' || isFresh) this.#positions.set(topic, position);
  }
}
