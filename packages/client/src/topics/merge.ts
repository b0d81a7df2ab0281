import { isDerived } from '../ids.js';

/** What two edges say about the time and the mark may differ by so many messages: several publish at the same moment. */
const reach = 8;

/** What of the new socket's messages the old one has brought already, and which ids may still come again. */
export interface Merged {
  readonly isRepeat: readonly boolean[];
  /** Counts of ids. */
  readonly seen: Map<string, number>;
}

/**
 * `tail`: ids that the old socket has brought, up to its end, all of them or the last `memory`. `ids`: what the new one has brought
 * until now, of which the first `marked` come before that end, as the edges say; undefined: they do not say.
 */
export function merge(
  tail: readonly string[],
  ids: readonly string[],
  marked: number | undefined,
  memory: number,
): Merged {
  const seen = new Map<string, number>();
  for (const id of tail) seen.set(id, (seen.get(id) ?? 0) + 1);
  const split = marked === undefined ? undefined : splitAt(tail, ids, marked, memory);
  const isRepeat = ids.map((id, at) => {
    const count = seen.get(id) ?? 0;
    let isRepeat = count > 0;
    if (isDerived(id)) {
      const isOnce = count === 1;
      if (marked === undefined) isRepeat = isOnce;
      else if (split !== undefined) isRepeat = at < split || (at < marked && isOnce);
      else if (at >= marked) isRepeat = isOnce && at < marked + reach && tail.slice(-reach).includes(id);
    }
    if (isRepeat) take(seen, id);
    return isRepeat;
  });
  for (const [id, count] of seen) if (isDerived(id) && (marked !== undefined || count > 1)) seen.delete(id);
  return { isRepeat, seen };
}

/** One of them has come. */
export function take(seen: Map<string, number>, id: string): void {
  const count = seen.get(id) ?? 0;
  if (count > 1) seen.set(id, count - 1);
  else seen.delete(id);
}

/** How many of `ids` are the end of `tail`, in order: the number nearest to `marked`, if there is one. */
function splitAt(
  tail: readonly string[],
  ids: readonly string[],
  marked: number,
  memory: number,
): number | undefined {
  const isEnd = (split: number): boolean => {
    if (split > ids.length || (split < 1 && marked > 0) || (split > tail.length && tail.length < memory))
      return false;
    for (let n = 1; n <= Math.min(split, tail.length); n++)
      if (ids[split - n] !== tail[tail.length - n]) return false;
    return true;
  };
  for (let off = 0; off <= reach; off++) {
    if (isEnd(marked - off)) return marked - off;
    if (isEnd(marked + off)) return marked + off;
  }
  return undefined;
}
