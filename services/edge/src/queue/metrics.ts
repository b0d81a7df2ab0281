import { type Ops, observeCounters } from '@evenkeel/runtime';
import type { Rehoming } from './rehoming.js';

/** What is measured of sessions' queues. */
export interface QueueSources {
  readonly rehoming: Pick<Rehoming, 'counts'>;
}

export function queueMetrics(metrics: Ops['metrics'], { rehoming }: QueueSources): void {
  observeCounters(
    metrics,
    'evenkeel_queues_rehomed_total',
    'Queues of sessions that left a broker which is to be taken down, `done`, or `lost` with a gap',
    'outcome',
    () => Object.entries(rehoming.counts),
  );
}
