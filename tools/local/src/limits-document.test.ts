import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from './paths.js';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const limits = read('docs/limits.md');
const rows = limits
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .map(([, what = '', limit = '', , where = '']) => ({ what, limit, files: filesOf(where) }));

/** The files of the last column: the first with its path, others perhaps beside it. */
function filesOf(where: string): string[] {
  const named = [...where.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  const first = named[0] ?? '';
  return named.map((name) => (name.includes('/') ? name : join(dirname(first), name)));
}

const perUnit: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  day: 86_400_000,
  KiB: 1_024,
  MiB: 1_048_576,
};

/** Each number of a cell, as the code may have it: in its unit, in ms or bytes, or in one that a product has. */
function writtenAs(limit: string): { text: string; forms: RegExp[] }[] {
  const found = [...limit.matchAll(/(?<![\w.`-])(\d[\d,.]*\d|\d)(?: (ms|s|min|h|day|KiB|MiB)\b)?(?![\w-])/g)];
  return found.map(([text, digits = '', unit = '']) => {
    const value = Number(digits.replaceAll(',', ''));
    const inBase = value * (perUnit[unit] ?? 1);
    const forms = [value, inBase, inBase / 1_000, inBase / 1_024, inBase / 1_048_576]
      .filter((each) => Number.isInteger(each * 1_000))
      .map((each) => new RegExp(`(?<![\\d_.])${grouped(each)}(?![\\d_]|\\.\\d)`));
    return { text, forms };
  });
}

/** 10000 as 10_000 or 10000. */
const grouped = (value: number): string =>
  String(value)
    .replaceAll(/\B(?=(\d{3})+(?!\d))/g, '_?')
    .replace('.', '\\.');

describe.each(rows)('$what', ({ limit, files }) => {
  test('is in files that exist', () => {
    expect(files).not.toEqual([]);
    expect(files.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test('has numbers that are in the code', () => {
    const code = sourcesOf(files).map(read);
    const missing = writtenAs(limit).filter(
      ({ forms }) => !code.some((text) => forms.some((form) => form.test(text))),
    );
    expect(missing.map(({ text }) => text)).toEqual([]);
  });
});

/** Everything but tests of the workspaces that these are in, and of those that several take limits from. */
function sourcesOf(files: readonly string[]): string[] {
  const own = files.map((path) => path.split('/').slice(0, 2).join('/'));
  return [...new Set([...own, 'libs/protocol', 'libs/pace'])].flatMap((workspace) =>
    readdirSync(join(root, workspace, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => join(workspace, 'src', name)),
  );
}
