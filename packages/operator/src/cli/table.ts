/** One column: numbers to the right, words to the left. */
export interface Column<Row> {
  title: string;
  of(row: Row): string;
  align?: 'left' | 'right';
  /** Applied after padding, so that colours do not count as width. */
  paint?(text: string, row: Row): string;
}

/** A table as text, one line a row, without a line end after the last. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  header: (text: string) => string,
): string {
  const widths = columns.map((column) =>
    Math.max(column.title.length, ...rows.map((row) => column.of(row).length)),
  );
  const cell = (column: Column<Row>, text: string, width: number) =>
    column.align === 'right' ? text.padStart(width) : text.padEnd(width);
  const lines = [
    header(
      columns
        .map((column, i) => cell(column, column.title, widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    ),
    ...rows.map((row) =>
      columns
        .map((column, i) => {
          const padded = cell(column, column.of(row), widths[i] ?? 0);
          return column.paint?.(padded, row) ?? padded;
        })
        .join('  ')
        .trimEnd(),
    ),
  ];
  return lines.join('\n');
}

/** 12345 → `12,345`. */
export const whole = (value: number | undefined): string =>
  value === undefined ? '–' : Math.round(value).toLocaleString('en-US');

/** Seconds in words a person reads at a glance: `8 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}
