import type { Position } from './position.js';
import type { TailRecord } from './tail.js';

/**
 * What a subscriber gets of what was published before. `all`: every message that was asked for, oldest first. `lost`: some of them
 * are gone, so none comes.
 */
export type Recovery<T> = {
  readonly is: 'all' | 'lost';
  readonly records: readonly TailRecord<T>[];
  /** The newest record of the stream at that moment: what comes live is behind it. */
  readonly upTo: Position | undefined;
};

/** What is asked of a topic: `since` gives all that came behind it or nothing, `last` what there is. */
export interface Wanted {
  readonly since?: Position | undefined;
  readonly last?: number | undefined;
}
