/** What became of one call, as its caller saw it. */
export interface CallOutcome {
  /** Of the question: its handler's runs are counted by it. */
  readonly name: string;
  readonly kind: 'request' | 'stream';
  /** How often it was answered or failed: the caller waits for one. */
  readonly settled: number;
  /** Whether what came last is the answer to this very question. */
  readonly isAnswer?: boolean;
  /** Why it failed. */
  readonly code?: string;
  /** Numbers of the parts that came, in order. */
  readonly parts?: readonly number[];
  /** Its session moved, or lost its edge, between question and answer. */
  readonly hasMoved?: boolean;
  readonly hasLostEdge?: boolean;
}

export interface JudgeOptions {
  /** Parts that a whole answer has. */
  readonly parts: number;
  /** Codes that PROTOCOL.md lists. */
  readonly codes: ReadonlySet<string>;
  /** How often the handler has run for a question. */
  runsOf(name: string): number;
}

export interface CallCounts {
  calls: number;
  answered: number;
  /** Whole answers whose session moved, or lost its edge, meanwhile. */
  movedMeanwhile: number;
  lostEdgeMeanwhile: number;
  /** Failed with a documented code, by code. */
  readonly failed: Record<string, number>;
  unanswered: number;
  answeredTwice: number;
  /** The answer was that of another question, or none at all. */
  wrongAnswers: number;
  undocumented: number;
  ranTwice: number;
  /** Answered, although no handler has run. */
  ranNever: number;
  parts: number;
  lostParts: number;
  repeatedParts: number;
  reorderedParts: number;
}

const none = (): CallCounts => ({
  calls: 0,
  answered: 0,
  movedMeanwhile: 0,
  lostEdgeMeanwhile: 0,
  failed: {},
  unanswered: 0,
  answeredTwice: 0,
  wrongAnswers: 0,
  undocumented: 0,
  ranTwice: 0,
  ranNever: 0,
  parts: 0,
  lostParts: 0,
  repeatedParts: 0,
  reorderedParts: 0,
});

/** Holds calls against what must become of each: one answer of one run, each part once and in order, or a documented code. */
export function judgeCalls(calls: readonly CallOutcome[], options: JudgeOptions): CallCounts {
  const counts = none();
  for (const call of calls) {
    counts.calls += 1;
    if (call.settled > 1) counts.answeredTwice += 1;
    const runs = options.runsOf(call.name);
    if (runs > 1) counts.ranTwice += 1;
    judgeParts(call, options.parts, counts);
    if (call.settled === 0) counts.unanswered += 1;
    else if (call.code !== undefined) {
      if (options.codes.has(call.code)) counts.failed[call.code] = (counts.failed[call.code] ?? 0) + 1;
      else counts.undocumented += 1;
    } else {
      counts.answered += 1;
      if (call.hasMoved) counts.movedMeanwhile += 1;
      if (call.hasLostEdge) counts.lostEdgeMeanwhile += 1;
      if (runs === 0) counts.ranNever += 1;
      if (call.isAnswer !== true) counts.wrongAnswers += 1;
    }
  }
  return counts;
}

/** Of a call that failed, the parts are the first ones of the answer; of one that was answered, all. */
function judgeParts(
  { kind, parts = [], code, settled }: CallOutcome,
  whole: number,
  counts: CallCounts,
): void {
  if (kind === 'request') return;
  const seen = new Set<number>();
  let highest = -1;
  for (const n of parts) {
    counts.parts += 1;
    if (seen.has(n)) counts.repeatedParts += 1;
    else if (n < highest) counts.reorderedParts += 1;
    seen.add(n);
    highest = Math.max(highest, n);
  }
  const due = code === undefined && settled > 0 ? whole : highest + 1;
  for (let n = 0; n < due; n += 1) if (!seen.has(n)) counts.lostParts += 1;
}

const words: readonly [
  Exclude<
    keyof CallCounts,
    'calls' | 'answered' | 'movedMeanwhile' | 'lostEdgeMeanwhile' | 'failed' | 'parts'
  >,
  string,
][] = [
  ['unanswered', 'were not answered'],
  ['answeredTwice', 'were answered more than once'],
  ['wrongAnswers', 'got another answer than theirs'],
  ['undocumented', 'failed with a code that no document has'],
  ['ranTwice', 'had their handler run more than once'],
  ['ranNever', 'were answered without a handler'],
  ['lostParts', 'parts were lost'],
  ['repeatedParts', 'parts came twice'],
  ['reorderedParts', 'parts came out of order'],
];

/** What does not hold, in words. */
export const faultsOfCalls = (what: string, counts: CallCounts): string[] =>
  words.flatMap(([key, word]) => (counts[key] > 0 ? [`${what}: ${counts[key]} ${word}`] : []));

/** Failures are allowed where they are documented; but where most calls fail nothing is shown. */
const mostFailed = 0.01;

/** What was to happen and did not, so that what held shows little. */
export function didNotHappen(what: string, counts: CallCounts): string[] {
  const faults: string[] = [];
  const { calls, movedMeanwhile, lostEdgeMeanwhile } = counts;
  const failed = Object.values(counts.failed).reduce((sum, each) => sum + each, 0);
  if (counts.answered === 0) faults.push(`${what}: none was answered`);
  if (failed > Math.ceil(calls * mostFailed)) faults.push(`${what}: ${failed} of ${calls} failed`);
  if (movedMeanwhile === 0) faults.push(`${what}: none was answered whose session moved meanwhile`);
  if (lostEdgeMeanwhile === 0) faults.push(`${what}: none was answered whose edge was killed meanwhile`);
  return faults;
}
