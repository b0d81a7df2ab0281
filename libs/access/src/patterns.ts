export { isPattern, matches, matchesWords } from '@evenkeel/protocol';

/**
 * Does `pattern` match everything that `other` matches? Never says so where it does not; where several `#` stand between words it
 * may say no although it does. Takes at most (words of the one) × (words of the other) steps.
 */
export function covers(pattern: string, other: string): boolean {
  return coversWords(pattern.split('.'), other.split('.'));
}

/** As {@link covers}, of words. */
export function coversWords(pattern: readonly string[], other: readonly string[]): boolean {
  const known = new Map<number, boolean>();
  /** Are the words of `pattern` from `at` on as wide as those of `other` from `from` on? `isOneMore`: behind one more word. */
  const isWide = (at: number, from: number, isOneMore: boolean): boolean => {
    const key = 2 * (at * (other.length + 1) + from) + Number(isOneMore);
    const answer = known.get(key) ?? step(at, from, isOneMore);
    known.set(key, answer);
    return answer;
  };
  const step = (at: number, from: number, isOneMore: boolean): boolean => {
    const word = pattern[at];
    const next = other[from];
    if (isOneMore) {
      // A `#` takes the word and what follows it, or stands for none.
      if (word === '#') return isWide(at, from + 1, false) || isWide(at + 1, from, true);
      return word === '*' && isWide(at + 1, from, false);
    }
    if (next === '#') return isWide(at, from + 1, false) && (word === '#' || isWide(at, from, true));
    if (word === '#')
      return isWide(at + 1, from, false) || (next !== undefined && isWide(at, from + 1, false));
    if (next === undefined) return word === undefined;
    return word !== undefined && (word === next || word === '*') && isWide(at + 1, from + 1, false);
  };
  return isWide(0, 0, false);
}

/** Is there a name that both match? Takes at most (words of the one) × (words of the other) steps. */
export function overlaps(one: string, other: string): boolean {
  const [left, right] = [one.split('.'), other.split('.')];
  // Which words of `right` may be next, once those of `left` so far are matched.
  let next = reach(new Set([0]), right);
  for (const word of left) {
    const after = new Set<number>();
    if (word === '#') {
      // It takes any number of words that the other has, or makes up.
      const first = Math.min(...next);
      for (let at = first; at <= right.length; at += 1) after.add(at);
    } else {
      for (const at of next) {
        const there = right[at];
        if (there === '#') after.add(at);
        else if (there !== undefined && (there === word || there === '*' || word === '*')) after.add(at + 1);
      }
    }
    if (after.size === 0) return false;
    next = reach(after, right);
  }
  return next.has(right.length);
}

/** A `#` may also stand for no word. */
function reach(places: Set<number>, words: readonly string[]): Set<number> {
  for (const at of places) if (words[at] === '#') places.add(at + 1);
  return places;
}
