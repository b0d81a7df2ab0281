import { tableOf } from '../table.js';
import type { CallCounts } from './judge.js';

export interface CallsStep {
  readonly name: string;
  /** Until every client was connected, and where it is to be. */
  readonly seconds: number;
  readonly moves: number;
  readonly disconnects: number;
  /** Calls that had been asked and not answered when it began. */
  readonly requests: number;
  readonly streams: number;
}

/** What `--json` prints of requests. */
export interface RequestsResult {
  readonly scenario: 'requests';
  readonly held: boolean;
  readonly failures: readonly string[];
  readonly sessions: number;
  /** Sessions that have moved. */
  readonly moved: number;
  readonly calling: readonly CallsStep[];
  readonly requests: CallCounts;
  readonly streams: CallCounts;
}

const columns = [
  'calls',
  'answered',
  'movedMeanwhile',
  'lostEdgeMeanwhile',
  'unanswered',
  'answeredTwice',
  'ranTwice',
] as const;
const partColumns = ['parts', 'lostParts', 'repeatedParts', 'reorderedParts'] as const;

/** The result for people. */
export function renderRequests(result: RequestsResult): string {
  const { calling, requests, streams, sessions, moved, held, failures } = result;
  const failed = ({ failed }: CallCounts): string =>
    Object.entries(failed)
      .map(([code, times]) => `${code} ${times}`)
      .join(', ') || '-';
  return [
    ...tableOf([
      ['step', 'seconds', 'moves', 'disconnects', 'requests in flight', 'streams in flight'],
      ...calling.map(({ name, ...step }) => [
        name,
        ...[step.seconds, step.moves, step.disconnects, step.requests, step.streams].map(String),
      ]),
    ]),
    '',
    ...tableOf([
      ['', ...columns, ...partColumns, 'failed'],
      ...[['requests', requests] as const, ['streams', streams] as const].map(([name, counts]) => [
        name,
        ...[...columns, ...partColumns].map((column) => String(counts[column])),
        failed(counts),
      ]),
    ]),
    '',
    `sessions ${sessions}, of which moved ${moved}`,
    '',
    ...(held ? ['All of it held.'] : ['NOT HELD:', ...failures.map((each) => `  - ${each}`)]),
    '',
  ].join('\n');
}
