import type { Position } from './position.js';
import type { TailRecord } from './tail.js';

/**
 * What a subscriber gets of what was published before. `all`: every message that was asked for, oldest first. `lost`: some of them
 * are gone, so none comes. `newest`: so are they, and what comes are the newest of them, with nothing missing between.
 */
export interface Recovery<T> {
  readonly is: 'all' | 'lost' | 'newest';
  readonly records: readonly TailRecord<T>[];
  /** The newest record of the stream at that moment: what comes live is behind it. */
  readonly upTo: Position | undefined;
}
