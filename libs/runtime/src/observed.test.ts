import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { documentedMetrics, metricsTable } from './metrics-table.js';
import {
  observeCounters,
  observeGauge,
  observeHistogram,
  observeHistograms,
  observeInfo,
} from './observed.js';

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

it('a histogram for each value of a label has its lines with it', async () => {
  const registry = new Registry();
  const empty = { bounds: [1], counts: [0, 0], sum: 0 };
  observeHistograms(registry, 'attach_seconds', 'Attaching', 'kind', () => [
    ['new', { bounds: [1], counts: [1, 0], sum: 0.5 }],
    ['moved', empty],
  ]);
  const text = await registry.metrics();
  expect(text).toContain('attach_seconds_bucket{le="+Inf",kind="new"} 1');
  expect(text).toContain('attach_seconds_sum{kind="new"} 0.5');
  expect(text).toContain('attach_seconds_count{kind="moved"} 0');
});

it('what does not change is 1, with labels that say it', async () => {
  const registry = new Registry();
  observeInfo(registry, 'evenkeel_build_info', 'What runs', { version: '1.2.3' });
  expect(await registry.metrics()).toContain('evenkeel_build_info{version="1.2.3"} 1');
});

it('a table lists what is registered, by name, kind, labels and meaning, as a document has it under its heading', () => {
  const table = metricsTable((metrics) => {
    observeGauge(metrics, 'process_x', 'of Node', () => 1);
    observeCounters(metrics, 'evenkeel_gaps_total', 'Gaps told', 'reason', () => []);
    observeGauge(metrics, 'evenkeel_capacity', 'Most connections', () => 1);
  });
  const rows = [
    '| `evenkeel_capacity` | gauge | | Most connections |',
    '| `evenkeel_gaps_total` | counter | `reason` | Gaps told |',
  ];
  expect(table).toEqual(rows);
  const document = `## Metrics: edge\n\n| name |\n${rows.toReversed().join('\n')}\n\n## Metrics: gateway\n| \`evenkeel_x\` |`;
  expect(documentedMetrics(document, 'edge')).toEqual(rows);
});
