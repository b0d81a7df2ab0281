import type { Place } from './tail.js';

/** A position ahead of what has been read is waited for so long while the stream is read, ms. */
const waitMs = 5_000;
/** What has been waited for is remembered so much longer, ms: as long as clients come back with it. */
const rememberedMs = 600_000;
/** So many positions; others are waited for each time. */
const most = 10_000;

/**
 * Positions that are ahead of what has been read: another reader may have been ahead of this one, or they are of a stream that is no more.
 * Each is waited for once, whoever comes with it: a client that stays shorter than that each time would never be told.
 */
export class Ahead {
  readonly #leftMs = new Map<string, number>();

  /** Whether it is to be waited for, still. */
  isAwaited(place: Place): boolean {
    const key = keyOf(place);
    const leftMs = this.#leftMs.get(key);
    if (leftMs === undefined && this.#leftMs.size < most) this.#leftMs.set(key, waitMs);
    return (leftMs ?? waitMs) > 0;
  }

  /** So much of the time is over. */
  passed(ms: number): void {
    for (const [key, leftMs] of this.#leftMs) {
      if (leftMs - ms <= -rememberedMs) this.#leftMs.delete(key);
      else this.#leftMs.set(key, leftMs - ms);
    }
  }
}

const keyOf = ({ offset, print }: Place): string => `${offset} ${print ?? ''}`;
