import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const page = readFileSync(
  join(import.meta.dirname, '..', '..', '..', 'demo', 'public', 'index.html'),
  'utf8',
);

it('the demo page has nothing inline and nothing from elsewhere, as its policy demands', () => {
  expect(page).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:/i);
  const loaded = [...page.matchAll(/\s(?:src|href)="([^"]*)"/g)].map(([, path]) => path);
  expect(loaded.length).toBeGreaterThan(3);
  expect(loaded.filter((path) => !/^\/[^/]/.test(path ?? ''))).toEqual([]);
});
