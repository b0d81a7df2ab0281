import { readFileSync } from 'node:fs';
import { documentedMetrics, metricsTable } from '@evenkeel/runtime';
import { expect, test } from 'vitest';
import { apiMetrics } from './metrics.js';

const document = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');

test('docs/metrics.md lists every metric of api with its kind, labels and meaning', () => {
  const table = metricsTable((metrics) => {
    apiMetrics(metrics, () => 0);
  });
  expect(documentedMetrics(document, 'api')).toEqual(table);
});
