import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type AllMeasured, tables, withTables } from './tables.js';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = join(root, 'bench', 'results');
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const measured: AllMeasured = {
  move: read('move.json'),
  long: read('move-long.json'),
  faults: read('move-faults.json'),
  sessions: read('sessions.json'),
  fronts: read('fronts.json'),
  sizing: read('sizing.json'),
  presence: read('presence.json'),
  history: read('history.json'),
};

test.each([
  'README.md',
  'docs/benchmarks.md',
  'docs/sessions.md',
  'docs/load-balancers.md',
  'docs/sizing.md',
  'docs/presence.md',
  'docs/history.md',
])('%s has the figures of bench/results (npm run bench:figures writes them)', (document) => {
  const text = readFileSync(join(root, document), 'utf8');
  expect(text).toContain('<!-- figures: ');
  expect(withTables(text, tables(measured))).toBe(text);
});

test.each(readdirSync(folder))(
  'bench/results/%s says when, of which commit, where and how it was measured',
  (name) => {
    expect(read(name)).toEqual({
      date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      commit: expect.stringMatching(/^[0-9a-f]{7,}$/),
      machine: expect.stringContaining('cores'),
      command: expect.stringMatching(/npm run (bench:|story|chaos|soak)/),
      ...('note' in read(name) && { note: expect.any(String) }),
      results: expect.any(Array),
    });
  },
);
