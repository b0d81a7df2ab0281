import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js';

/** A day; more counts as this. */
const longestMs = 86_400_000;
const microsecondsPerMs = 1_000;

const newHistogram = (): Histogram =>
  build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 1_000_000,
    numberOfSignificantValueDigits: 3,
    autoResize: true,
  });

/** Delays in ms, kept to the microsecond or to three digits (HdrHistogram); they can be added up. */
export class Delays {
  readonly #histogram = newHistogram();

  add(delayMs: number): void {
    const ms = Math.min(longestMs, Math.max(0, delayMs));
    this.#histogram.recordValue(Math.round(ms * microsecondsPerMs));
  }

  merge(dump: DelaysDump): void {
    this.#histogram.add(decodeFromCompressedBase64(dump, 32));
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  get maxMs(): number {
    return this.#histogram.maxValue / microsecondsPerMs;
  }

  /** The delay that this part (0 to 1) of them did not exceed, ms; 0 when there are none. */
  quantileMs(part: number): number {
    if (this.count === 0) return 0;
    return this.#histogram.getValueAtPercentile(part * 100) / microsecondsPerMs;
  }

  /** As it goes from one process to another. */
  dump(): DelaysDump {
    return encodeIntoCompressedBase64(this.#histogram);
  }
}

/** See {@link Delays.dump}. */
export type DelaysDump = string;

/** What a result says of delays. */
export interface DelaySummary {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const round = (ms: number): number => Math.round(ms * 100) / 100;

export function summaryOf(delays: Delays): DelaySummary {
  return {
    count: delays.count,
    p50: round(delays.quantileMs(0.5)),
    p99: round(delays.quantileMs(0.99)),
    max: round(delays.maxMs),
  };
}
