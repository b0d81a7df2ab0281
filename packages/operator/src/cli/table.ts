/** One column: numbers to the right, words to the left. */
export interface Column<Row> {
  title: string;
  of(row: Row): string;
  align?: 'left' | 'right';
  /** Applied after padding, so that colours do not count as width. */
  paint?(text: string, row: Row): string;
  /** Left out where the table is too wide, the highest first; without it never. */
  spare?: number;
}

const gap = 2;

/** A table as text, one line a row, without a line end after the last. In `width` places, if it can be. */
export function table<Row>(
  rows: readonly Row[],
  allColumns: readonly Column<Row>[],
  header: (text: string) => string,
  width = Number.POSITIVE_INFINITY,
): string {
  const columns = fitting(rows, allColumns, width);
  const widths = columns.map((column) => widthOf(rows, column));
  const cell = (column: Column<Row>, text: string, width: number) =>
    column.align === 'right' ? text.padStart(width) : text.padEnd(width);
  const lines = [
    header(
      columns
        .map((column, i) => cell(column, column.title, widths[i] ?? 0))
        .join(' '.repeat(gap))
        .trimEnd(),
    ),
    ...rows.map((row) =>
      columns
        .map((column, i) => {
          const padded = cell(column, column.of(row), widths[i] ?? 0);
          return column.paint?.(padded, row) ?? padded;
        })
        .join(' '.repeat(gap))
        .trimEnd(),
    ),
  ];
  return lines.join('\n');
}

const widthOf = <Row>(rows: readonly Row[], column: Column<Row>): number =>
  rows.reduce((most, row) => Math.max(most, column.of(row).length), column.title.length);

function fitting<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width: number): Column<Row>[] {
  const kept = [...columns];
  let total = kept.reduce((sum, column) => sum + widthOf(rows, column) + gap, -gap);
  const spares = columns.filter((c) => c.spare !== undefined).sort((a, b) => (b.spare ?? 0) - (a.spare ?? 0));
  for (const column of spares) {
    if (total <= width) break;
    kept.splice(kept.indexOf(column), 1);
    total -= widthOf(rows, column) + gap;
  }
  return kept;
}

const numbers = new Intl.NumberFormat('en-US');

/** 12345 → `12,345`. */
export const whole = (value: number | undefined): string =>
  value === undefined ? '–' : numbers.format(Math.round(value));

/** 1 → `1 session`, 12345 → `12,345 sessions`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${whole(count)} ${count === 1 ? one : many}`;

/** 0.123 → `12 %`. */
export const percent = (part: number | undefined): string =>
  part === undefined ? '–' : `${Math.round(part * 100)} %`;

/** Seconds in words a person reads at a glance: `8 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

/** A time of the day, UTC. */
export const clock = (atMs: number): string => `${new Date(atMs).toISOString().slice(11, 19)} UTC`;
