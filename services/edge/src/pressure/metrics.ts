import { type Ops, observeCounter, observeGauge, observeGauges } from '@evenkeel/runtime';
import { nearest } from './gauge.js';
import type { MemoryWatch } from './watch.js';

/** What is measured of memory. */
export interface MemorySources {
  readonly memory: Pick<MemoryWatch, 'uses' | 'shed' | 'note'>;
}

export function memoryMetrics(metrics: Ops['metrics'], sources: MemorySources): void {
  observeGauges(
    metrics,
    'evenkeel_memory_limit_bytes',
    'What the `process` may have of memory, where anything bounds it, and the `heap`',
    'of',
    () =>
      Object.entries(sources.memory.uses).flatMap(([of, used]) =>
        used === undefined ? [] : [[of, used.limitBytes] as const],
      ),
  );
  observeGauge(
    metrics,
    'evenkeel_memory_used_ratio',
    'Part in use of the memory limit that is nearer to being met',
    () => nearest(sources.memory.uses).part,
  );
  observeGauge(
    metrics,
    'evenkeel_memory_low',
    '1: near a memory limit, so that no newcomers are taken',
    () => (sources.memory.note() === undefined ? 0 : 1),
  );
  observeCounter(
    metrics,
    'evenkeel_memory_shed_total',
    'Sockets of slow clients closed because memory was short',
    () => sources.memory.shed,
  );
}
