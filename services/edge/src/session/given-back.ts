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

/** For who is told only of what there is. */
export const idsOf = ({ ids }: Pick<Requeued, 'ids'>) => (ids.length > 0 ? { ids } : {});
