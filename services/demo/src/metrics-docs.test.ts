import { readFileSync } from 'node:fs';
import { documentedMetrics, metricsTable } from '@evenkeel/runtime';
import { expect, test } from 'vitest';
import { crowdMetrics } from './crowd/metrics.js';
import { demoMetrics } from './metrics.js';
import { publisherMetrics } from './publisher-metrics.js';

const document = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');

test('docs/metrics.md lists every metric of demo with its kind, labels and meaning', () => {
  // Nothing is read before a scrape.
  const table = metricsTable((metrics) => {
    demoMetrics(metrics, { price: () => 0 });
    publisherMetrics(metrics, () => undefined);
    crowdMetrics(metrics, {} as Parameters<typeof crowdMetrics>[1]);
  });
  const common = documentedMetrics(document, 'every service');
  expect(documentedMetrics(document, 'demo')).toEqual(table.filter((row) => !common.includes(row)));
});
