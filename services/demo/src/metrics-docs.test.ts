import { readFileSync } from 'node:fs';
import { documentedMetrics, metricsTable } from '@evenkeel/runtime';
import { expect, test } from 'vitest';
import { demoMetrics } from './metrics.js';

const document = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');

test('docs/metrics.md lists every metric of demo with its kind, labels and meaning', () => {
  // Nothing is read before a scrape.
  const table = metricsTable((metrics) => {
    demoMetrics(metrics, { price: () => 0 });
  });
  expect(documentedMetrics(document, 'demo')).toEqual(table);
});
