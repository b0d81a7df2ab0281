import { expect, it } from 'vitest';
import { GapCount } from './gap-count.js';

const minute = 60_000;
const report = (node: string, gaps: number | undefined, boot = 'b') => ({ node, boot, gaps });

it('gaps count from the first report of a node on, of another process from its start, for an hour', () => {
  const count = new GapCount();
  expect(count.lastHour(0)).toBeUndefined();
  count.observe(report('e1', undefined), 0);
  expect(count.lastHour(0)).toBeUndefined();
  count.observe(report('e1', 7), 0);
  expect(count.lastHour(0)).toBe(0);
  count.observe(report('e1', 9), minute);
  count.observe(report('e1', 3, 'another'), 2 * minute);
  expect(count.lastHour(2 * minute)).toBe(5);
  expect(count.lastHour(61 * minute)).toBe(3);
  expect(count.lastHour(62 * minute)).toBe(0);
});
