import { reportEveryMs, type Traffic } from '@evenkeel/cluster';
import type { NodeStats } from '@evenkeel/protocol';

/** What is gathered into one mean, ms: with less, chance is most of it. */
const bucketMs = 10_000;
/** How far back it goes, in means: five minutes, in which what swings from minute to minute comes out level. */
const mostBuckets = 30;

/** The traffic of ten seconds of the observer's clock. */
export interface Bucket {
  /** Which ten seconds: the same number is the same time with every node. */
  readonly at: number;
  readonly mean: Readonly<Record<'events' | 'bytes' | 'cpu', number>>;
  readonly ms: number;
}

/** What a node has carried of late, in means of ten seconds. */
export class TrafficSeries {
  #buckets: Bucket[] = [];

  get buckets(): readonly Bucket[] {
    return this.#buckets;
  }

  /** One report, `elapsedMs` after the last. */
  add(stats: NodeStats, elapsedMs: number, nowMs: number): void {
    const at = Math.floor(nowMs / bucketMs);
    const now = { events: stats.deliveredPerSecond, bytes: stats.bytesPerSecond, cpu: stats.cpu };
    const ms = Math.min(elapsedMs, bucketMs);
    const last = this.#buckets.at(-1);
    if (last === undefined || last.at !== at) {
      this.#buckets.push({ at, mean: now, ms });
      if (this.#buckets.length > mostBuckets) this.#buckets.shift();
      return;
    }
    this.#buckets[this.#buckets.length - 1] = { at, mean: blend(last, { mean: now, ms }), ms: last.ms + ms };
  }

  restart(): void {
    this.#buckets = [];
  }

  /** The mean of all of it. */
  mean(): Traffic {
    let sum = { mean: { events: 0, bytes: 0, cpu: 0 }, ms: 0 };
    for (const bucket of this.#buckets) sum = { mean: blend(sum, bucket), ms: sum.ms + bucket.ms };
    return { overMs: Math.max(reportEveryMs, sum.ms), ...sum.mean };
  }
}

type Part = Pick<Bucket, 'mean' | 'ms'>;

function blend(a: Part, b: Part): Bucket['mean'] {
  const share = b.ms / Math.max(1, a.ms + b.ms);
  const of = (key: keyof Bucket['mean']) => a.mean[key] + (b.mean[key] - a.mean[key]) * share;
  return { events: of('events'), bytes: of('bytes'), cpu: of('cpu') };
}
