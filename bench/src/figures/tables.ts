import { type FrontRun, frontTable } from './fronts.js';
import { type HistoryCost, historyRows } from './history.js';
import { type PresenceCost, presenceRows } from './presence.js';
import { type SessionsMeasured, sessionTables } from './sessions.js';
import { type SizingMeasured, sizingTable } from './sizing.js';
import { table } from './table.js';

/** What became of everything of one kind that was published. */
interface Accounts {
  readonly delivered: number;
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
  readonly covered?: number;
  readonly gaps?: Readonly<Record<string, number>>;
}

/** What the tables need of one result of `bench:move --json`. */
interface Run {
  readonly fault: string;
  readonly sessions: number;
  readonly moves: number;
  readonly movesPerSecond: number;
  readonly events: Accounts;
  readonly topics?: Accounts;
  readonly socketlessMs: { readonly max: number };
  readonly delayMs: Readonly<Record<'control' | 'moved', { readonly p99: number }>>;
  readonly recoverySeconds: number | null;
}

/** A file of `bench/results`. */
interface Measured<Result = Run> {
  readonly date: string;
  /** What was measured. */
  readonly commit: string;
  readonly machine: string;
  readonly command: string;
  readonly results: readonly Result[];
}

/** The files of `bench/results` that the documents quote. */
export interface AllMeasured {
  readonly move: Measured;
  readonly long: Measured;
  readonly faults: Measured;
  readonly sessions: SessionsMeasured;
  readonly fronts: Measured<FrontRun>;
  readonly sizing: SizingMeasured;
  readonly presence: Measured<PresenceCost>;
  readonly history: Measured<HistoryCost>;
}

/** The tables of the documents, by the name in their `<!-- figures: name -->`. */
export function tables({
  move,
  long,
  faults,
  sessions,
  fronts,
  sizing,
  presence,
  history,
}: AllMeasured): Readonly<Record<string, string>> {
  const runs = move.results;
  const killed = faults.results.find(({ fault }) => fault === 'kill-source');
  const [half] = long.results;
  if (killed === undefined || half === undefined) throw new Error('no run with kill-source, or no long run');
  const added = runs.map(({ delayMs }) => Math.max(0, delayMs.moved.p99 - delayMs.control.p99));
  const benchmarks = [
    [
      '5,000 sessions moved round and round among three edges, 2,000 events a second',
      spread(runs.map((run) => run.movesPerSecond))(' moves a second'),
      move,
    ],
    [
      'the same for half an hour',
      `${whole(half.moves)} moves, ${whole(half.events.delivered)} events: ${spelt(half.events)}`,
      long,
    ],
    [
      'time without a socket during a move',
      `${whole(Math.max(...runs.map((run) => run.socketlessMs.max)))} ms`,
      move,
    ],
    ['delivery p99 added by moves', spread(added)(' ms'), move],
    [
      'an edge killed among 5,000 sessions',
      `everybody back in ${tenth(killed.recoverySeconds)} s, ${whole(killed.events.lost)} lost`,
      faults,
    ],
  ] as const;
  return {
    ...sessionTables(sessions),
    sizing: sizingTable(sizing),
    presence: labelled(presence, ['', 'without presence', 'with'], presence.results.flatMap(presenceRows)),
    history: labelled(history, ['', 'without history', 'with'], history.results.flatMap(historyRows)),
    benchmarks: table(
      ['what', 'result', 'commit'],
      benchmarks.map(([what, result, { commit }]) => [what, result, `\`${commit}\``]),
    ),
    moves: labelled(
      move,
      [
        'moves',
        'a second',
        'events',
        'lost / repeated / out of order',
        'without a socket, ms',
        'p99 added, ms',
      ],
      runs.map((run, index) => [
        whole(run.moves),
        whole(run.movesPerSecond),
        whole(run.events.delivered),
        faulty(run.events),
        whole(run.socketlessMs.max),
        tenth(added[index] ?? null),
      ]),
    ),
    fronts: `${frontTable(fronts.results)}\n\n${whatOf(fronts)}`,
    faults: labelled(
      faults,
      [
        ...['fault', 'moves', 'events', 'lost / repeated / out of order'],
        ...[
          'topic messages',
          'lost / repeated / out of order',
          'covered by a gap',
          'gaps',
          'seconds to recover',
        ],
      ],
      faults.results.map(({ fault, moves, events, topics, recoverySeconds }) => [
        ...[`\`${fault}\``, whole(moves), whole(events.delivered), faulty(events)],
        ...(topics === undefined
          ? ['', '', '', '']
          : [
              whole(topics.delivered),
              faulty(topics),
              whole(topics.covered ?? 0),
              whole(sumOf(topics.gaps ?? {})),
            ]),
        tenth(recoverySeconds),
      ]),
    ),
  };
}

/** A document with its tables of figures as given; what stands between other marks stays. */
export function withTables(document: string, made: Readonly<Record<string, string>>): string {
  return document.replaceAll(
    /(<!-- figures: (\w+) -->\n)[\s\S]*?(\n<!-- \/figures -->)/g,
    (all, before: string, name: string, after: string) => {
      const text = made[name];
      return text === undefined ? all : `${before}\n${text}\n${after}`;
    },
  );
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');
const tenth = (value: number | null): string =>
  value === null ? '' : value.toLocaleString('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const faulty = ({ lost, repeated, reordered }: Accounts): string => `${lost} / ${repeated} / ${reordered}`;
const spelt = ({ lost, repeated, reordered }: Accounts): string =>
  `${lost} lost, ${repeated} repeated, ${reordered} out of order`;
const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Median and range: a single figure of a shared machine says little. */
function spread(values: readonly number[]): (unit: string) => string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? 0;
  const middle = (at(Math.floor((sorted.length - 1) / 2)) + at(Math.ceil((sorted.length - 1) / 2))) / 2;
  const shown = middle < 100 ? tenth(middle) : whole(middle);
  const range = `${whole(at(0))} to ${whole(at(sorted.length - 1))}, ${sorted.length} runs`;
  return (unit) => (sorted.length === 1 ? `${shown}${unit} (one run)` : `median ${shown}${unit} (${range})`);
}

/** A table, and under it what was measured. */
function labelled(
  measured: Measured<unknown>,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  return `${table(head, rows)}\n\n${whatOf(measured)}`;
}

function whatOf({ commit, date, machine }: Measured<unknown>): string {
  const cores = machine.replace(/ shared with[^;]*/, '').replaceAll(';', ',');
  return `Commit \`${commit}\`, ${date}; ${cores}.`;
}
