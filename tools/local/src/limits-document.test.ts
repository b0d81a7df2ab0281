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
    const code = sourcesOf(files);
    const missing = writtenAs(limit).filter(
      ({ forms }) => !code.some((text) => forms.some((form) => form.test(text))),
    );
    expect(missing.map(({ text }) => text)).toEqual([]);
  });
});

/** These files, and of what they import by its name its declaration: numbers are often there. */
function sourcesOf(files: readonly string[]): string[] {
  const own = files.flatMap((path) => (path.endsWith('.ts') ? [path] : sourcesIn(path)));
  return own.flatMap((path) => [read(path), ...importedBy(path)]);
}

/** Everything but tests. */
function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(folder, name));
}

/** The declarations of what a file imports, types left out. */
function importedBy(path: string): string[] {
  const text = read(path);
  const named = [...text.matchAll(/^import \{([^}]*)\} from '([^']+)';/gm)].map(
    ([, list = '', from = '']) =>
      [list.split(',').map((name) => name.trim().split(' as ')[0] ?? ''), from] as const,
  );
  const whole = [...text.matchAll(/^import \* as (\w+) from '([^']+)';/gm)].map(
    ([, as = '', from = '']) =>
      [[...text.matchAll(new RegExp(`\\b${as}\\.(\\w+)`, 'g'))].map(([, name = '']) => name), from] as const,
  );
  return [...named, ...whole].flatMap(([names, from]) => {
    const wanted = new Set(names.filter((name) => name !== '' && !name.startsWith('type ')));
    return [...wanted].flatMap((name) => declarationOf(name, filesBehind(from, path)));
  });
}

/** Where a name that is imported from there may be declared. */
function filesBehind(from: string, importer: string): string[] {
  if (from.startsWith('.')) return [join(dirname(importer), from.replace(/js$/, 'ts'))];
  const [, workspace] = /^@evenkeel\/([\w-]+)/.exec(from) ?? [];
  const folders = ['libs', 'packages'].map((where) => `${where}/${workspace}/src`);
  return folders.filter((folder) => existsSync(join(root, folder))).flatMap(sourcesIn);
}

/** From its first line to where the next export begins. */
function declarationOf(name: string, files: readonly string[]): string[] {
  const beginning = new RegExp(`^export (?:const|(?:async )?function|class) ${name}\\b`, 'm');
  return files.flatMap((path) => {
    const text = read(path);
    const at = text.search(beginning);
    if (at < 0) return [];
    const end = text.indexOf('\nexport ', at);
    return [text.slice(at, end < 0 ? text.length : end)];
  });
}
