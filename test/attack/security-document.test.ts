import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientFrameTypes } from '@evenkeel/protocol';
import { expect, test } from 'vitest';
import { floodOfKind } from './rows/frame-floods.js';
import { attacks } from './rows.js';

const root = join(import.meta.dirname, '..', '..');
const security = readFileSync(join(root, 'SECURITY.md'), 'utf8');
const names = attacks.map(({ name }) => name);

/** The rows of the table under this heading, by cells. */
function table(heading: string): string[][] {
  const [, section = ''] = security.split(`## ${heading}\n`);
  const lines = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) => line.split(/(?<!\\)\|/).slice(1, -1));
}

test('every row of what is defended names the attacks that try it, and every attack is named once', () => {
  const defended = table('What is defended');
  const tried = defended.map(([, , rows = '']) =>
    [...rows.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name),
  );
  expect(tried.filter((each) => each.length === 0)).toEqual([]);
  expect(tried.flat().toSorted()).toEqual(names.toSorted());
});

test('every kind of frame that a client may send is sent as a flood', () => {
  expect(Object.keys(floodOfKind).toSorted()).toEqual([...clientFrameTypes].toSorted());
  expect(Object.values(floodOfKind).filter((flood) => !attacks.includes(flood))).toEqual([]);
});

test('assets, boundaries, what is left and how to report are there', () => {
  expect(table('Assets').length).toBeGreaterThan(3);
  expect(table('Trust boundaries').length).toBeGreaterThan(5);
  expect(security).toContain('## What is left to you');
  expect(security).toContain('private vulnerability reporting');
  // Nothing that is to be filled in.
  expect(security).not.toMatch(/TODO|TBD|<email>|example\.(com|org)/i);
});

test('names of attacks are words, and there are at least 45', () => {
  expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([]);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(45);
});
