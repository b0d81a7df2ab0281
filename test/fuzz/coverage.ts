import { type Profiler, Session } from 'node:inspector';

/** A piece of a script, from one character to before another. */
type Piece = readonly [from: number, until: number];

/** What has run since it was last asked. */
export interface Run {
  /** Characters of code that had never run before. */
  readonly fresh: number;
  /** Blocks and functions that were entered, each as often as it was. */
  readonly work: number;
}

/**
 * Which code runs, from V8 itself. To be started before what is counted is loaded: of functions that were compiled before it is known
 * only whether they run.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #isCounted: (url: string) => boolean;
  /** Of each function that has run: what of it has not. */
  readonly #missing = new Map<string, readonly Piece[]>();
  #reached = 0;

  /** `isCounted`: whether code from there is looked at for what is fresh. All but Node's own counts as work. */
  constructor(isCounted: (url: string) => boolean) {
    this.#isCounted = isCounted;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Characters of code that have run. */
  get reached(): number {
    return this.#reached;
  }

  /** What has run since the last time. `isKept`: from now on it is not fresh any more. */
  take(isKept: boolean): Run {
    let [fresh, work] = [0, 0];
    for (const { url, scriptId, functions } of this.#scripts()) {
      const isCounted = this.#isCounted(url);
      for (const { ranges, isBlockCoverage } of functions) {
        const [whole] = ranges;
        if (whole === undefined || whole.count === 0) continue;
        for (const { count } of ranges) work += count;
        if (!isCounted) continue;
        const key = `${scriptId}:${whole.startOffset}:${whole.endOffset}`;
        const missing = isBlockCoverage ? piecesThatDidNotRun(ranges) : [];
        const known = this.#missing.get(key) ?? [[whole.startOffset, whole.endOffset]];
        const left = common(known, missing);
        const found = lengthOf(known) - lengthOf(left);
        // Of a function without a block in it nothing is left to be found.
        fresh += found;
        if (isKept && (found > 0 || !this.#missing.has(key))) {
          this.#missing.set(key, left);
          this.#reached += found;
        }
      }
    }
    return { fresh, work };
  }

  stop(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  #scripts(): readonly Profiler.ScriptCoverage[] {
    let taken: readonly Profiler.ScriptCoverage[] = [];
    // In the session of the same thread it is answered at once.
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error) throw error;
      taken = answer.result.filter(({ url }) => !url.startsWith('node:'));
    });
    return taken;
  }
}

/** V8 names a block inside another only where it has run more or less often. */
function piecesThatDidNotRun(ranges: readonly Profiler.CoverageRange[]): Piece[] {
  const pieces: Piece[] = [];
  for (const { startOffset, endOffset, count } of ranges) {
    if (count > 0) {
      // It has run, in the midst of what has not: that cannot be, but for what is merged.
      continue;
    }
    const last = pieces.at(-1);
    if (last !== undefined && startOffset < last[1]) continue;
    pieces.push([startOffset, endOffset]);
  }
  return pieces;
}

/** What is in both. Each in order, and without overlaps. */
function common(one: readonly Piece[], other: readonly Piece[]): Piece[] {
  const both: Piece[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const [a, b] = [one[i], other[j]];
    if (a === undefined || b === undefined) return both;
    const from = Math.max(a[0], b[0]);
    const until = Math.min(a[1], b[1]);
    if (from < until) both.push([from, until]);
    if (a[1] < b[1]) i += 1;
    else j += 1;
  }
}

const lengthOf = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, [from, until]) => sum + until - from, 0);
