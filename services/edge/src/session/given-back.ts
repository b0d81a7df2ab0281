import { type GapReason, gapReasons } from '@evenkeel/protocol';
import type { QueueGeneration } from './generation.js';
import type { Requeued } from './outbox-options.js';
import type { SealLeft } from './vouch.js';

/** What was given back. */
export interface GivenBack extends SealLeft {
  readonly suspect: Requeued['suspect'];
  readonly written: Requeued['written'];
  readonly ids?: Requeued['ids'];
  readonly isLasting: boolean;
  /** The window was full, so the queue may have overflowed; or it may be another one, or none. */
  readonly isFull: boolean;
  /** Of its queue; undefined: 0. */
  readonly generation?: number;
  readonly home?: string;
}

/** Its queue, as the next edge is told of it. */
export const whereOf = ({ generation, home }: Pick<QueueGeneration, 'generation' | 'home'>) => ({
  ...(generation > 0 && { generation }),
  ...(home && { home }),
});

/**
 * What was requeued, for who comes next. `isKnown`: it is in its places; `missing`: why something is, of which nobody was told; `place`: of
 * the queue.
 */
export function givenBack(
  isKnown: boolean,
  { ids, isGapOwed, ...all }: Requeued,
  { seal, owed }: SealLeft,
  missing: GapReason | undefined,
  place: Pick<GivenBack, 'isFull' | 'generation' | 'home'>,
): GivenBack {
  const { suspect, written, isLasting } = isKnown
    ? all
    : { suspect: undefined, written: undefined, isLasting: false };
  const left = { suspect, written, ...(ids.length > 0 && { ids }), isLasting, ...place };
  const toBeTold = owed ?? missing ?? (isGapOwed ? gapReasons.overflow : undefined);
  if (toBeTold === undefined) return { ...left, seal };
  return { ...left, owed: toBeTold, ...(owed && { seal }) };
}
