import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { amqpMetrics } from './amqp-metrics.js';
import { documentedMetrics, metricsTable } from './metrics-table.js';
import { observeGauge } from './observed.js';
import { commonMetrics } from './ops-server.js';
import { CertificateWatch } from './tls/certificate-watch.js';

const document = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');

test('docs/metrics.md lists the metrics that every service has, of its connections to RabbitMQ and of its certificate among them', () => {
  const table = metricsTable((metrics) => {
    commonMetrics(metrics);
    amqpMetrics(metrics, () => []);
    new CertificateWatch({
      files: { certFile: '', keyFile: '' },
      log: { info: () => {}, error: () => {} },
      gauge: (name, help, read) => observeGauge(metrics, name, help, read),
      now: Date.now,
    });
  });
  expect(documentedMetrics(document, 'every service')).toEqual(table);
});
