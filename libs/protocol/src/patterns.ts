/** Whether a name has a wildcard among its words. Names have no `*` and `#` otherwise. */
export const isPattern = (name: string): boolean => name.includes('*') || name.includes('#');

/**
 * Does `pattern` match `name`, as a binding key of an AMQP topic exchange does? `*` stands for one word, `#` for any number of
 * them, also none: `room.42.#` matches `room.42`.
 */
export function matches(pattern: string, name: string): boolean {
  return matchesWords(pattern.split('.'), name.split('.'));
}

/** As {@link matches}, of words. Takes at most (words of the pattern) × (words of the name) steps. */
export function matchesWords(pattern: readonly string[], name: readonly string[]): boolean {
  let at = 0;
  let next = 0;
  // Where the last `#` stands, and how far it reaches so far: a mismatch behind it lets it take one more word.
  let hash = -1;
  let reached = 0;
  while (next < name.length) {
    const word = pattern[at];
    if (word === '#') {
      hash = at;
      reached = next;
      at += 1;
    } else if (word !== undefined && (word === name[next] || (word === '*' && name[next] !== '#'))) {
      at += 1;
      next += 1;
    } else if (hash >= 0) {
      reached += 1;
      next = reached;
      at = hash + 1;
    } else return false;
  }
  while (pattern[at] === '#') at += 1;
  return at === pattern.length;
}
