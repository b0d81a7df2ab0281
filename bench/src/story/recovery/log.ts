/** What one subscriber of one topic was given, in order: messages by their numbers from 1, and what it was told is missing. */
export type LogEntry =
  | { readonly k: number; readonly isPast: boolean }
  | { readonly gap: string; readonly k?: undefined };

/** What of a log is not as it must be. */
interface LogFaults {
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
  /** Where too little was kept: a part of what was asked for came all the same, or it came although it was told to be gone. */
  readonly partial: number;
  /** Gaps of another reason, of nothing, or told more than once. */
  readonly wrongGaps: number;
}

export interface LogOutcome extends LogFaults {
  readonly delivered: number;
  readonly past: number;
  readonly gaps: number;
  /** Missing, and told by one gap. */
  readonly told: number;
}

type Counts = { -readonly [Key in keyof LogOutcome]: number };

export const historyLost = 'history-lost';

/**
 * Holds a log against what was published: numbers 1 to `last`. `size`: so many messages are kept, so that more than that may be gone in
 * one loss; undefined: everything is kept, and there is no reason for a gap.
 */
export function judge(log: readonly LogEntry[], last: number, size?: number): Counts {
  const seen = new Set<number>();
  const counts = {
    delivered: 0,
    past: 0,
    gaps: 0,
    told: 0,
    lost: 0,
    repeated: 0,
    reordered: 0,
    partial: 0,
    wrongGaps: 0,
  };
  let highest = 0;
  let gapsSince = 0;
  const hole = (next: number, isPast: boolean): void => {
    const missing = next - highest - 1;
    if (gapsSince === 0) counts.lost += missing;
    else if (size === undefined) counts.lost += missing;
    else {
      counts.told += missing;
      // What is kept is given whole, and of what is not whole nothing.
      if (missing <= size) counts.partial += 1;
      if (isPast) counts.partial += 1;
      if (gapsSince > 1) counts.wrongGaps += gapsSince - 1;
    }
  };
  for (const entry of log) {
    if (entry.k === undefined) {
      counts.gaps += 1;
      gapsSince += 1;
      if (entry.gap !== historyLost || size === undefined) counts.wrongGaps += 1;
      continue;
    }
    const { k, isPast } = entry;
    if (seen.has(k)) {
      counts.repeated += 1;
      continue;
    }
    seen.add(k);
    counts.delivered += 1;
    if (isPast) counts.past += 1;
    if (k < highest) {
      // It was counted as lost when it was passed over.
      counts.reordered += 1;
      continue;
    }
    if (k > highest + 1) hole(k, isPast);
    else if (gapsSince > 0) counts.wrongGaps += 1;
    highest = k;
    gapsSince = 0;
  }
  if (highest < last) hole(last + 1, false);
  else if (gapsSince > 0) counts.wrongGaps += 1;
  return counts;
}

/** Of many logs together. */
export function sumOf(outcomes: readonly LogOutcome[]): LogOutcome {
  const sum = judge([], 0);
  for (const outcome of outcomes)
    for (const key of Object.keys(sum) as (keyof LogOutcome)[]) sum[key] += outcome[key];
  return sum;
}
