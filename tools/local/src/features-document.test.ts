import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from './paths.js';

/** Tables that have a column `Evenkeel`, row by row: what is asked for, and what stands in that column. */
function rowsOf(document: string): { document: string; what: string; cell: string }[] {
  const rows: { document: string; what: string; cell: string }[] = [];
  let column = -1;
  for (const line of readFileSync(join(root, document), 'utf8').split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length < 3) column = -1;
    else if (column < 0) column = cells.indexOf('Evenkeel');
    else if (!/^-+$/.test(cells[1] ?? ''))
      rows.push({ document, what: cells[1] ?? '', cell: cells[column] ?? '' });
  }
  return rows;
}

const rows = ['README.md', 'docs/features.md'].flatMap(rowsOf);

test('README.md and docs/features.md compare', () => {
  expect(new Set(rows.map(({ document }) => document)).size).toBe(2);
});

describe.each(rows)('$document: $what', ({ document, cell }) => {
  test('a yes names the tests that show it, and they are there', () => {
    const tests = [...cell.matchAll(/\]\(([^)]+)\)/g)].map(([, path = '']) => path);
    if (/\byes\b/.test(cell)) expect(tests).not.toEqual([]);
    expect(tests.filter((path) => !/\.test\.ts$/.test(path))).toEqual([]);
    expect(tests.filter((path) => !existsSync(join(root, dirname(document), path)))).toEqual([]);
  });
});
