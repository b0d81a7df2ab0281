import { expect, it } from 'vitest';
import { PublishDelays } from './publish-delay.js';

const event = (headers: Record<string, unknown>) => ({ properties: { headers } });

it('measures one event in eight from its `evenkeel-at`, from the first on', () => {
  const delays = new PublishDelays();
  for (let n = 0; n < 17; n++) delays.take(event({ 'evenkeel-at': 1_000 }), 1_030);
  expect(delays.counts[delays.bounds.indexOf(0.05)]).toBe(3);
  expect(delays.sum).toBeCloseTo(0.09);
});

it('an event without the header is not measured, and the next one with it is', () => {
  const delays = new PublishDelays();
  for (const at of [undefined, 'soon', null]) delays.take(event({ 'evenkeel-at': at }), 5_000);
  delays.take(event({ 'evenkeel-at': 5_000 }), 5_000);
  expect(delays.counts.reduce((sum, count) => sum + count)).toBe(1);
});

it.each([
  ['that seems to come from the future', 9_000, 5_000, 0],
  ['that took longer than all bounds', 0, 60_000, 13],
])('an event %s has its place too', (_, at, now, place) => {
  const delays = new PublishDelays();
  delays.take(event({ 'evenkeel-at': at }), now);
  expect(delays.counts[place]).toBe(1);
});

it('the percentile is of what was measured since it was last asked for, and is shown for ten seconds more', () => {
  const delays = new PublishDelays();
  expect(delays.takeP99Ms(0)).toBeUndefined();
  const measure = (times: number, tookMs: number) => {
    for (let n = 0; n < times * 8; n += 1) delays.take(event({ 'evenkeel-at': 0 }), tookMs);
  };
  measure(100, 3);
  measure(1, 300);
  expect(delays.takeP99Ms(1)).toBe(5);
  expect(delays.takeP99Ms(2)).toBe(5);
  measure(10, 300);
  expect(delays.takeP99Ms(3)).toBe(500);
  expect(delays.takeP99Ms(10_002)).toBe(500);
  expect(delays.takeP99Ms(10_003)).toBeUndefined();
});
