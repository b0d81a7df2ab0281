import type { Frame } from '../log.js';

/** What a client's `hello` names, and up to where it has those topics that have a history. */
export class Topics {
  readonly #names: readonly string[];
  readonly #positions = new Map<string, string>();

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** For `hello`; `isNew`: of a session that has nothing yet. */
  named(isNew: boolean): (string | { topic: string; since: string })[] {
    if (isNew) this.#positions.clear();
    return this.#names.map((topic) => {
      const since = this.#positions.get(topic);
      return since === undefined ? topic : { topic, since };
    });
  }

  received({ t, topic, position, recovered }: Frame): void {
    if (typeof topic !== 'string' || typeof position !== 'string') return;
    // What a `subscribed` names comes next, unless a gap says that it does not.
    const isFresh = t === 'subscribed' && (recovered === false || !this.#positions.has(topic));
    if (t === 'message' || isFresh) this.#positions.set(topic, position);
  }
}
