import { tableOf } from '../table.js';
import type { Kill, NewsOutcome } from './judge.js';

export interface PresenceStep {
  readonly name: string;
  /** Who was in at its end. */
  readonly users: number;
  readonly sessions: number;
  readonly moves: number;
  readonly reloads: number;
  readonly disconnects: number;
  /** From the last deed until every observer's view was right; of a kill, from the kill. */
  readonly rightAfterSeconds: number | null;
}

export interface ObserverOutcome extends NewsOutcome {
  readonly name: string;
  readonly nodes: readonly string[];
  readonly news: number;
}

/** What `--json` prints of presence. */
export interface PresenceResult {
  readonly scenario: 'presence';
  readonly held: boolean;
  readonly failures: readonly string[];
  readonly presence: readonly PresenceStep[];
  readonly observers: readonly ObserverOutcome[];
  readonly moves: number;
  readonly reloads: number;
  readonly reloadsInTime: number;
  readonly leaves: Readonly<Record<string, number>>;
  readonly kills: readonly Kill[];
}

const words = {
  falseLeaves: 'leaves of users who had not left',
  falseJoins: 'joins of users who had not come',
  missedLeaves: 'leaves that it was not told',
  missedJoins: 'joins that it was not told',
  late: 'changes that it was told late',
} as const;

/** What does not hold of an observer. */
export function faultsOfObserver(observer: ObserverOutcome): string[] {
  const { name, examples, news } = observer;
  const faults = (Object.keys(words) as (keyof typeof words)[])
    .filter((what) => observer[what] > 0)
    .map((what) => `${name}: ${observer[what]} ${words[what]} (${examples.join('; ')})`);
  return news === 0 ? [`${name} was told nothing`, ...faults] : faults;
}

/** The result for people. */
export function renderPresence(result: PresenceResult): string {
  const { presence, observers, kills, moves, reloads, reloadsInTime, leaves, held, failures } = result;
  const columns = [
    'joined',
    'left',
    'falseLeaves',
    'falseJoins',
    'missedLeaves',
    'missedJoins',
    'late',
  ] as const;
  return [
    ...tableOf([
      ['step', 'users', 'sessions', 'moves', 'reloads', 'disconnects', 'views right after'],
      ...presence.map(({ name, rightAfterSeconds, ...step }) => [
        name,
        ...[step.users, step.sessions, step.moves, step.reloads, step.disconnects].map(String),
        rightAfterSeconds === null ? 'never' : `${rightAfterSeconds} s`,
      ]),
    ]),
    '',
    ...tableOf([
      ['observer', 'nodes', 'news', ...columns, 'excused', 'slowest'],
      ...observers.map((observer) => [
        observer.name,
        String(observer.nodes.length),
        String(observer.news),
        ...columns.map((column) => String(observer[column])),
        String(observer.excused),
        `${observer.slowestMs} ms`,
      ]),
    ]),
    '',
    `moves ${moves}; reloads ${reloads}, ${reloadsInTime} of them surely within the grace; left for good: ` +
      Object.entries(leaves)
        .map(([how, count]) => `${count} by ${how}`)
        .join(', '),
    ...kills.map(
      ({ node, members, returned, late, gone }) =>
        `${node} was killed with ${members} sessions: ${returned + late} came back elsewhere, ${late} of them late, ${gone} did not`,
    ),
    '',
    ...(held ? ['All of it held.'] : ['NOT HELD:', ...failures.map((each) => `  - ${each}`)]),
    '',
  ].join('\n');
}
