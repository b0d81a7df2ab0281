import { table } from './table.js';

type Part = 'edge' | 'gateway' | 'balancer' | 'broker';

/** What `bench:sizing --json` prints. */
interface Sized {
  readonly sessions: number;
  readonly broker: string;
  readonly eventsPerSecond: number;
  readonly emptyMiB: Readonly<Record<Part, number>>;
  readonly kibASession: Readonly<Record<Part, number>>;
  /** Null: it was not measured. */
  readonly coresAtRest: Readonly<Record<Part, number | null>>;
  readonly coresAtWork: Readonly<Record<Part, number | null>>;
  readonly eventsASecondOfACore: Readonly<Record<Part, number | null>>;
}

/** `bench/results/sizing.json`. */
export interface SizingMeasured {
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  readonly results: readonly Sized[];
}

/** The table of docs/sizing.md. */
export function sizingTable({ date, commit, machine, results }: SizingMeasured): string {
  const [sized] = results;
  if (sized === undefined) throw new Error('nothing was measured');
  const { sessions, eventsPerSecond, broker } = sized;
  const round = (value: number | null, digits: number, unit = ''): string =>
    value === null
      ? 'not measured'
      : `${value.toLocaleString('en', { maximumFractionDigits: digits })}${unit}`;
  const times = (value: number | null, factor: number) => (value === null ? null : value * factor);
  const hundreds = (value: number | null) => (value === null ? null : Math.round(value / 100) * 100);
  const row = (name: string, cell: (part: 'edge' | 'broker') => string): string[] => [
    name,
    cell('edge'),
    cell('broker'),
  ];
  const rows = [
    row('memory, without a session', (part) => round(sized.emptyMiB[part], 0, ' MiB')),
    row('memory of a session at rest', (part) => round(sized.kibASession[part], 0, ' KiB')),
    row('processor for 1,000 sessions at rest', (part) =>
      round(times(sized.coresAtRest[part], 1_000 / sessions), 3, ' cores'),
    ),
    row('events a second of one core', (part) => round(hundreds(sized.eventsASecondOfACore[part]), 0)),
  ];
  const what =
    `${round(sessions, 0)} sessions on one edge, then ${round(eventsPerSecond, 0)} events a second to random ones, each acknowledged.\n` +
    `RabbitMQ ${broker}. Commit \`${commit}\`, ${date}; ${machine.replaceAll(';', ',')}.`;
  return `${table(['', 'edge', 'RabbitMQ'], rows)}\n\n${what}`;
}
