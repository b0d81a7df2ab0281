/** Something published, as the aligning sees it. */
export interface Wanted {
  readonly tag: string;
  readonly at: number;
  readonly isOwed: boolean;
  /** Where it stands among the items of the stream, as far as its neighbours tell: behind `from`, before `until`. */
  readonly from: number;
  readonly until: number;
}

/** A gap that the client was told of. */
export interface GapAt {
  /** Its place among the items of the stream. */
  readonly index: number;
  /** When: it tells of nothing that was published later. */
  readonly at: number;
}

/** Something delivered. */
export interface Came {
  readonly tag: string;
  readonly at: number;
  /** Its place among the items of the stream. */
  readonly index: number;
  /** Those between the delivery before and this one. */
  readonly gaps: readonly GapAt[];
  /** It may be a repeat, and is marked as such. */
  readonly isDoubtful: boolean;
}

const never = Number.MAX_VALUE;
/** A delivery that is no publish in its turn: repeated, or out of order. */
const extra = 1e10;
const loss = 1e5;
/** One that may be a repeat is rather taken for new where that explains as much. */
const dropped = 2;
/** A gap that explains nothing is worse than one that does, and better than a loss. */
const idleGap = 1;

/**
 * The kindest explanation of what came: for each delivery the publish that it is, in order (-1: none). Where contents recur
 * there are several; that with the fewest faults is taken.
 */
export function align(
  wanted: readonly Wanted[],
  came: readonly Came[],
  lastGaps: readonly GapAt[],
): Int32Array {
  const matches = new Int32Array(came.length).fill(-1);
  let start = 0;
  // What agrees from the beginning needs no choice, but where the next of the same content may be meant, or it may be a repeat.
  const lastOf = new Map(wanted.map(({ tag }, n) => [tag, n]));
  const isChoice = ({ isOwed, tag }: Wanted, n: number) => !isOwed && lastOf.get(tag) !== n;
  while (
    start < came.length &&
    isSame(wanted[start], came[start]) &&
    !isChoice(wanted[start] as Wanted, start) &&
    came[start]?.isDoubtful === false &&
    came[start]?.gaps.length === 0
  ) {
    matches[start] = start;
    start++;
  }
  const rows = wanted.length - start + 1;
  const columns = came.length - start + 1;
  if (columns === 1) return matches;
  // Two layers: whether something has been skipped where a gap stands before the delivery at hand.
  const best = [0, 1].map(() => new Float64Array(rows * columns));
  const [dry, used] = best as [Float64Array, Float64Array];
  for (let j = columns - 1; j >= 0; j--) {
    const next = came[start + j];
    const gaps = next?.gaps ?? lastGaps;
    for (let i = rows - 1; i >= 0; i--) {
      const at = i * columns + j;
      for (const layer of [used, dry]) {
        const idle = gaps.length > 0 && layer === dry ? idleGap : 0;
        let cost = never;
        if (i === rows - 1 && j === columns - 1) cost = idle;
        if (i < rows - 1)
          cost = Math.min(cost, skipCost(wanted[start + i], gaps) + (used[at + columns] ?? 0));
        if (j < columns - 1) cost = Math.min(cost, extraCost(next) + idle + (dry[at + 1] ?? 0));
        if (i < rows - 1 && j < columns - 1 && isSame(wanted[start + i], next))
          cost = Math.min(cost, idle + (dry[at + columns + 1] ?? 0));
        layer[at] = cost;
      }
    }
  }
  for (let i = 0, j = 0, isDry = true; j < columns - 1; ) {
    const at = i * columns + j;
    const next = came[start + j];
    const gaps = next?.gaps ?? lastGaps;
    const idle = gaps.length > 0 && isDry ? idleGap : 0;
    const cost = (isDry ? dry : used)[at];
    if (i < rows - 1 && isSame(wanted[start + i], next) && cost === idle + (dry[at + columns + 1] ?? 0)) {
      matches[start + j] = start + i;
      i++;
      j++;
      isDry = true;
    } else if (i < rows - 1 && cost === skipCost(wanted[start + i], gaps) + (used[at + columns] ?? 0)) {
      i++;
      isDry = false;
    } else {
      j++;
      isDry = true;
    }
  }
  return matches;
}

const extraCost = (came: Came | undefined): number => (came?.isDoubtful ? dropped : extra);
/** What it costs that it did not come: nothing where a gap stands in its place. */
function skipCost(wanted: Wanted | undefined, gaps: readonly GapAt[]): number {
  if (wanted === undefined || !wanted.isOwed) return 0;
  const stands = ({ index, at }: GapAt): boolean =>
    wanted.from < index && index < wanted.until && at >= wanted.at;
  return gaps.some(stands) ? 0 : loss;
}

/** A delivery is no publish that began after it. */
function isSame(wanted: Wanted | undefined, came: Came | undefined): boolean {
  if (wanted === undefined || came === undefined || wanted.tag !== came.tag) return false;
  return wanted.at <= came.at && wanted.from < came.index && came.index < wanted.until;
}
