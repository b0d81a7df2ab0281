import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { observeHistogram } from './observed.js';

it('a histogram that somebody else counts is scraped as Prometheus has them: cumulative, with sum and count', async () => {
  const registry = new Registry();
  const counts = [2, 0, 1];
  observeHistogram(registry, 'waits_seconds', 'Waits', () => ({ bounds: [0.1, 1], counts, sum: 7.5 }));
  const lines = (await registry.metrics()).split('\n').filter((line) => !line.startsWith('#') && line !== '');
  expect(lines).toEqual([
    'waits_seconds_bucket{le="0.1"} 2',
    'waits_seconds_bucket{le="1"} 2',
    'waits_seconds_bucket{le="+Inf"} 3',
    'waits_seconds_sum 7.5',
    'waits_seconds_count 3',
  ]);
});
