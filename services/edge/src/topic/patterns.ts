import { matchesWords } from '@evenkeel/access';
import { isTopic } from '@evenkeel/protocol';

/** Topics whose patterns are remembered at most; beyond it they are all looked up anew. */
const maxKnown = 10_000;
const none: readonly string[] = [];

/** What of a pattern comes from its first wildcard on. */
interface Tail {
  readonly pattern: string;
  readonly words: readonly string[];
}

/**
 * The patterns that are subscribed here, and which of them match a topic. They are found by the words before their first
 * wildcard, so that `room.1.#`, `room.2.#`, … cost a message nothing but one look for each of its words.
 */
export class PatternIndex {
  readonly #byPrefix = new Map<string, Tail[]>();
  readonly #known = new Map<string, readonly string[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `pattern`: one with a wildcard that is not there yet. */
  add(pattern: string): void {
    const { prefix, words } = split(pattern);
    const tails = this.#byPrefix.get(prefix);
    if (tails) tails.push({ pattern, words });
    else this.#byPrefix.set(prefix, [{ pattern, words }]);
    this.#size += 1;
    this.#known.clear();
  }

  delete(pattern: string): void {
    const { prefix } = split(pattern);
    const tails = this.#byPrefix.get(prefix) ?? [];
    const left = tails.filter((tail) => tail.pattern !== pattern);
    if (left.length === tails.length) return;
    if (left.length > 0) this.#byPrefix.set(prefix, left);
    else this.#byPrefix.delete(prefix);
    this.#size -= 1;
    this.#known.clear();
  }

  /** Those that match `topic`; what is no name of a topic is matched by none. */
  matching(topic: string): readonly string[] {
    if (this.#size === 0) return none;
    const known = this.#known.get(topic);
    if (known !== undefined) return known;
    const found = isTopic(topic) ? this.#find(topic) : none;
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.set(topic, found);
    return found;
  }

  #find(topic: string): readonly string[] {
    const words = topic.split('.');
    const found: string[] = [];
    let prefix = '';
    // Also with no word left, which `#` takes.
    for (let at = 0; at <= words.length; at += 1) {
      const tails = this.#byPrefix.get(prefix);
      if (tails) {
        const rest = words.slice(at);
        for (const tail of tails) if (matchesWords(tail.words, rest)) found.push(tail.pattern);
      }
      prefix = at === 0 ? (words[0] ?? '') : `${prefix}.${words[at]}`;
    }
    return found.length === 0 ? none : found;
  }
}

function split(pattern: string): { prefix: string; words: readonly string[] } {
  const words = pattern.split('.');
  const first = words.findIndex((word) => word === '*' || word === '#');
  return { prefix: words.slice(0, first).join('.'), words: words.slice(first) };
}
