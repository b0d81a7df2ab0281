import { readFileSync } from 'node:fs';
import { documentedMetrics, metricsTable } from '@evenkeel/runtime';
import { expect, test } from 'vitest';
import { askingMetrics, balancerMetrics, guardianMetrics } from './metrics.js';

const document = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');

test('docs/metrics.md lists every metric of balancer with its kind, labels and meaning', () => {
  // Nothing is read before a scrape.
  const table = metricsTable((metrics) => {
    balancerMetrics(metrics, {} as Parameters<typeof balancerMetrics>[1], () => 0);
    askingMetrics(metrics, {} as Parameters<typeof askingMetrics>[1]);
    guardianMetrics(metrics, {} as Parameters<typeof guardianMetrics>[1]);
  });
  expect(documentedMetrics(document, 'balancer')).toEqual(table);
});
