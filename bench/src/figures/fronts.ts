import type { FrontResult, FrontStep } from '../story/front/result.js';
import { table } from './table.js';

/** What is kept of one run of `npm run story -- --front NAME --json`. */
export interface FrontRun {
  readonly front: string;
  readonly without: boolean;
  readonly held: boolean;
  readonly clients: number;
  /** Sessions of each edge, and how many of them are pinned, after the steps that the table shows. */
  readonly nodes: Readonly<
    Record<(typeof shownSteps)[number], readonly (readonly [sessions: number, pinned: number])[]>
  >;
  /** What the drain ended with. */
  readonly drain: string;
  /** What the crash ended with. */
  readonly back: string;
  readonly disconnects: number;
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
  readonly bareLost: number;
  readonly published: number;
  /** What came of tickets that are not good here. */
  readonly tickets: readonly string[];
}

const shownSteps = ['edge-3 joins', 'drain edge-1', 'edge-3 restarts'] as const;

/** What the tables need of a result. */
export function frontRun(result: FrontResult): FrontRun {
  const { front, without, held, sdk, bare, steps, outcome, tickets } = result;
  const named = (name: string): FrontStep | undefined => steps.find((step) => step.name === name);
  const nodesOf = (name: string) =>
    (named(name)?.nodes ?? []).map(({ sessions, pinned }) => [sessions, pinned] as const);
  return {
    front,
    without,
    held,
    clients: sdk + bare,
    nodes: {
      'edge-3 joins': nodesOf('edge-3 joins'),
      'drain edge-1': nodesOf('drain edge-1'),
      'edge-3 restarts': nodesOf('edge-3 restarts'),
    },
    drain: named('drain edge-1')?.note ?? '',
    back: named('kill -9 edge-2')?.note ?? '',
    disconnects: steps.at(-1)?.disconnects ?? 0,
    lost: outcome.sdk.lost + outcome.sdk.covered,
    repeated: outcome.sdk.repeated,
    reordered: outcome.sdk.reordered,
    bareLost: outcome.bare.lost,
    published: outcome.sdk.published + (without ? 0 : outcome.bare.published),
    tickets: tickets.map(({ ticket, answer, admitted }) => `${ticket}: ${answer} (${admitted})`),
  };
}

/** Each front twice: the mesh, then plain servers behind the same. */
export function frontTable(runs: readonly FrontRun[]): string {
  const sorted = [...new Set(runs.map(({ front }) => front))].flatMap((front) => [
    ...runs.filter((run) => run.front === front && !run.without),
    ...runs.filter((run) => run.front === front && run.without),
  ]);
  return table(
    [
      'front',
      '',
      'third edge joins',
      'drain edge-1',
      'all back after a crash',
      'each restarted',
      'disconnects',
      'lost',
    ],
    sorted.map((run) => {
      const lost = run.without
        ? `${run.lost} of ${whole(run.published)}`
        : `${run.lost} of ${whole(run.published)}, bare ${run.bareLost}`;
      return [
        run.without ? '' : `\`${run.front}\``,
        run.without ? 'plain `ws`' : `Evenkeel${run.held ? '' : ', **not held**'}`,
        spelt(run, 'edge-3 joins'),
        spelt(run, 'drain edge-1'),
        run.back.replace(/^all back in /, ''),
        spelt(run, 'edge-3 restarts'),
        String(run.disconnects),
        lost,
      ];
    }),
  );
}

const spelt = ({ nodes }: FrontRun, step: (typeof shownSteps)[number]): string =>
  nodes[step]
    .map(([sessions, pinned]) => (pinned === 0 ? String(sessions) : `${sessions} (${pinned} pinned)`))
    .join(' / ');
const whole = (value: number): string => value.toLocaleString('en');
