import { table } from './table.js';

/** One run of bench/sessions: a system whose first node was restarted under messages. */
interface Restarted {
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: string;
  readonly beside: string;
  /** `planned`: the node was told to stop (SIGTERM). `crash`: it was killed. */
  readonly kind: string;
  readonly onNode: number;
  readonly disconnected: number;
  readonly sameSession: number;
  /** Null: the system has no place for what an application keeps of a session. */
  readonly kept: number | null;
  readonly messages: number;
  readonly missing: number;
  readonly repeated: number;
  readonly outOfOrder: number;
  readonly told: number;
}

/** `bench/results/sessions.json`. */
export interface SessionsMeasured {
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  readonly results: readonly Restarted[];
}

/** The tables of docs/sessions.md. */
export function sessionTables({ date, commit, machine, results }: SessionsMeasured): Record<string, string> {
  const systems = [...new Set(results.map(({ system }) => system))];
  const each = (kind: string, cell: (run: Restarted) => string): string[] =>
    systems.map((system) => {
      const run = results.find((result) => result.system === system && result.kind === kind);
      if (run === undefined) throw new Error(`no run ${kind} of ${system}`);
      return cell(run);
    });
  const rowsOf = (kind: string, name: string): string[][] => [
    [`${name}: clients disconnected`, ...each(kind, (run) => `${run.disconnected} of ${run.onNode}`)],
    ['– back in their session', ...each(kind, (run) => `${run.sameSession} of ${run.onNode}`)],
    [
      '– with what the application kept in it',
      ...each(kind, (run) => (run.kept === null ? 'has no place for it' : `${run.kept} of ${run.onNode}`)),
    ],
    ['– messages missing', ...each(kind, (run) => `${run.missing} of ${run.messages.toLocaleString('en')}`)],
    ['– repeated, out of order', ...each(kind, (run) => `${run.repeated}, ${run.outOfOrder}`)],
    [
      '– clients that miss some and can know it',
      ...each(kind, (run) => (run.missing === 0 ? '' : `${run.told}`)),
    ],
  ];
  const versions = each('crash', (run) =>
    Object.entries(run.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  );
  return {
    sessions: [
      table(
        ['', ...systems],
        [
          ['has to run beside it', ...each('crash', ({ beside }) => beside)],
          ['versions', ...versions],
          ['settings', ...each('crash', ({ settings }) => settings)],
          ...rowsOf('planned', 'node restarted in order'),
          ...rowsOf('crash', 'node killed'),
        ],
      ),
      '',
      `Commit \`${commit}\`, ${date}; ${machine.replaceAll(';', ',')}.`,
    ].join('\n'),
  };
}
