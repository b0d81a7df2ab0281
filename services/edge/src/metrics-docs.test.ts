import { readFileSync } from 'node:fs';
import { documentedMetrics, metricsTable } from '@evenkeel/runtime';
import { expect, test } from 'vitest';
import { type EdgeSources, edgeMetrics } from './metrics.js';

const document = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');

test('docs/metrics.md lists every metric of edge with its kind, labels and meaning', () => {
  // Nothing is read before a scrape.
  const table = metricsTable((metrics) => {
    edgeMetrics(metrics, {} as EdgeSources);
  });
  expect(documentedMetrics(document, 'edge')).toEqual(table);
});
