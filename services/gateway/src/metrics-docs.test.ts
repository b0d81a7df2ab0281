import { readFileSync } from 'node:fs';
import { documentedMetrics, metricsTable } from '@evenkeel/runtime';
import { expect, test } from 'vitest';
import { gatewayMetrics } from './metrics.js';

const document = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');

test('docs/metrics.md lists every metric of gateway with its kind, labels and meaning', () => {
  // Nothing is read before a scrape.
  const table = metricsTable((metrics) => {
    gatewayMetrics(metrics, {} as Parameters<typeof gatewayMetrics>[1]);
  });
  expect(documentedMetrics(document, 'gateway')).toEqual(table);
});
