import { expect, it } from 'vitest';
import {
  bytes,
  clockOff,
  counted,
  duration,
  milliseconds,
  percent,
  plainName,
  shortCount,
} from './format.js';
import { parseRoute, to } from './route.js';

it('numbers are read at a glance', () => {
  expect([12, 99_999, 120_000, 1_250_000].map(shortCount)).toEqual(['12', '99,999', '120K', '1.3M']);
  expect([counted(1, 'node'), counted(2, 'node')]).toEqual(['1 node', '2 nodes']);
  expect([0, 0.034, 0.5, 1].map(percent)).toEqual(['0 %', '3.4 %', '50 %', '100 %']);
  expect([0, 3.24, 850, 3_210, 45_000].map(milliseconds)).toEqual([
    '0 ms',
    '3.2 ms',
    '850 ms',
    '3.2 s',
    '45 s',
  ]);
  expect([12_000, 240_000, 10_800_000, 200_000_000].map(duration)).toEqual([
    '12 s',
    '4 min',
    '3 h',
    '2 days',
  ]);
  expect([0, 900, 2_048, 300 * 1_024 ** 2].map(bytes)).toEqual(['0 B', '900 B', '2.0 KiB', '300 MiB']);
});

it('a clock that is slow is behind', () => {
  expect([30_000, -30_000, -450].map(clockOff)).toEqual(['30 s ahead', '30 s behind', '450 ms behind']);
});

it('a name that the page has no word for is shown in words', () => {
  expect(plainName('publishToSocketP99Ms')).toBe('Publish to socket p99 ms');
  expect(plainName('slow-consumer')).toBe('Slow consumer');
});

it('an address leads to the screen and the name that made it, whatever is in the name', () => {
  expect(parseRoute(to('user', 'a/b ?#é')).path).toEqual(['user', 'a/b ?#é']);
  expect(parseRoute('#/plan?drain=edge-1').query.getAll('drain')).toEqual(['edge-1']);
  expect(parseRoute('#/node/%zz').path).toEqual(['node', '%zz']);
});
