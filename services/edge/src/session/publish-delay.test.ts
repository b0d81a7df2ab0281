import { expect, it } from 'vitest';
import { PublishDelays } from './publish-delay.js';

const event = (headers: Record<string, unknown>) => ({ properties: { headers } });

it('measures one event in eight from its `evenkeel-at`, from the first on', () => {
  const delays = new PublishDelays();
  for (let n = 0; n < 17; n++) delays.take(event({ 'evenkeel-at': 1_000 }), 1_030);
  expect(delays.toSocket.counts[delays.toSocket.bounds.indexOf(0.05)]).toBe(3);
  expect(delays.toSocket.sum).toBeCloseTo(0.09);
});

it('an event without the header is not measured, and the next one with it is', () => {
  const delays = new PublishDelays();
  for (const at of [undefined, 'soon', null]) delays.take(event({ 'evenkeel-at': at }), 5_000);
  delays.take(event({ 'evenkeel-at': 5_000 }), 5_000);
  expect(delays.toSocket.counts.reduce((sum, count) => sum + count)).toBe(1);
});

it.each([
  ['that seems to come from the future', 9_000, 5_000, 0],
  ['that took longer than all bounds', 0, 60_000, 13],
])('an event %s has its place too', (_, at, now, place) => {
  const delays = new PublishDelays();
  delays.take(event({ 'evenkeel-at': at }), now);
  expect(delays.toSocket.counts[place]).toBe(1);
});
