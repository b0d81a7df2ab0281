import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** What is used of one limit. */
interface Used {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** What an edge knows of its limits: what the whole process may have, where anything bounds that, and what V8's heap may have. */
export interface Uses {
  readonly process: Used | undefined;
  readonly heap: Used;
}

/** How the process is measured. */
export interface Measure {
  rssBytes(): number;
  /** Of the cgroup; undefined, 0 or more than the host has: none. */
  constrainedBytes(): number | undefined;
  totalBytes(): number;
  heap(): { used_heap_size: number; heap_size_limit: number };
}

const ownMeasure: Measure = {
  rssBytes: process.memoryUsage.rss,
  constrainedBytes: () => process.constrainedMemory(),
  totalBytes: totalmem,
  heap: getHeapStatistics,
};

/** Measures this process against its limits. Never throws: what cannot be measured is as it was. */
export class MemoryGauge {
  readonly #measure: Measure;
  /** `EVENKEEL_MEMORY_LIMIT_BYTES`. */
  readonly #setBytes: number | undefined;
  #rssBytes = 0;
  #constrainedBytes: number | undefined;

  constructor(setBytes: number | undefined, measure: Measure = ownMeasure) {
    this.#setBytes = setBytes;
    this.#measure = measure;
  }

  read(): Uses {
    // Both open files, for which there may be none left.
    this.#rssBytes = orElse(this.#measure.rssBytes, this.#rssBytes);
    this.#constrainedBytes = this.#ofCgroup() ?? this.#constrainedBytes;
    const limits = [this.#setBytes, this.#constrainedBytes].filter((bytes) => bytes !== undefined);
    const limitBytes = Math.min(...limits);
    const { used_heap_size: usedBytes, heap_size_limit: heapLimitBytes } = this.#measure.heap();
    return {
      process: limits.length === 0 ? undefined : { usedBytes: this.#rssBytes, limitBytes },
      heap: { usedBytes, limitBytes: heapLimitBytes },
    };
  }

  #ofCgroup(): number | undefined {
    const bytes = orElse(this.#measure.constrainedBytes, undefined) ?? 0;
    return bytes > 0 && bytes < this.#measure.totalBytes() ? bytes : undefined;
  }
}

/** Which of the limits is nearer to being met, and how much of it is used. */
export function nearest({ process: ofAll, heap }: Uses): {
  readonly part: number;
  readonly of: 'process' | 'heap';
} {
  const ofHeap = partOf(heap);
  const ofProcess = ofAll === undefined ? 0 : partOf(ofAll);
  return ofProcess >= ofHeap ? { part: ofProcess, of: 'process' } : { part: ofHeap, of: 'heap' };
}

const partOf = ({ usedBytes, limitBytes }: Used): number =>
  Math.round((usedBytes / limitBytes) * 1_000) / 1_000;

function orElse<T>(measure: () => T, known: T): T {
  try {
    return measure();
  } catch {
    return known;
  }
}
