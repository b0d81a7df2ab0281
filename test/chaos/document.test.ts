import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { brokerConditions } from '../delivery/judge/listed.js';
import { conditions } from '../delivery/run/conditions.js';
import { faults } from '../delivery/run/faults.js';

it('names in its document every fault, its part, and how long it holds', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'chaos.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z-]+)` \| (\w+) \| .* \| (\d+) s \|$/gm)];
  const documented = rows.map(([, name, part, seconds]) => [name, part, Number(seconds) * 1_000]);
  expect(documented).toEqual(Object.entries(faults).map(([name, { part, holdMs }]) => [name, part, holdMs]));
});

it('has a name for everything that the judge excuses a gap with', () => {
  const names = [...Object.keys(conditions), ...Object.keys(faults)];
  expect(brokerConditions.filter((name) => !names.includes(name))).toEqual([]);
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'delivery-log.md'), 'utf8');
  expect(brokerConditions.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

it('says of everything that can fail by what it was measured', () => {
  const root = join(import.meta.dirname, '..', '..');
  const text = readFileSync(join(root, 'docs', 'failures.md'), 'utf8');
  const cells = [...text.matchAll(/^\| (?!what fails).* \| ([^|]*) \|$/gm)].map(([, cell = '']) => cell);
  expect(cells.length).toBeGreaterThan(20);
  for (const cell of cells) {
    const names = [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    expect(names).not.toEqual([]);
    const isKnown = (name: string) =>
      Object.hasOwn(faults, name) || Object.hasOwn(conditions, name) || existsSync(join(root, name));
    expect(names.filter((name) => !isKnown(name))).toEqual([]);
  }
});
