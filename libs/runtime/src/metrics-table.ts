import { Registry } from 'prom-client';

/** What every metric of this project begins with; others are Node's. */
const prefix = 'evenkeel_';

/**
 * The rows of a document's table of metrics: name, kind, labels, meaning. `register`: registers them; it need not be able to read
 * anything.
 */
export function metricsTable(register: (metrics: Registry) => void): string[] {
  const registry = new Registry();
  register(registry);
  return registry
    .getMetricsAsArray()
    .filter(({ name }) => name.startsWith(prefix))
    .map((metric) => {
      const labels = labelsOf(metric).map((label) => `\`${label}\``);
      return `| \`${metric.name}\` | ${metric.type} | ${labels.join(', ')} | ${metric.help} |`.replace(
        '|  |',
        '| |',
      );
    })
    .toSorted();
}

/** The rows that a Markdown document lists under its heading `Metrics: <service>`. */
export function documentedMetrics(document: string, service: string): string[] {
  const section = document.split(/^#+ Metrics: /m).find((part) => part.startsWith(`${service}\n`)) ?? '';
  const table = section.split(/^#/m)[0] ?? '';
  return table
    .split('\n')
    .filter((line) => line.startsWith(`| \`${prefix}`))
    .toSorted();
}

/** prom-client's types leave them out. */
function labelsOf(metric: object): readonly string[] {
  if (!('labelNames' in metric) || !Array.isArray(metric.labelNames)) return [];
  return metric.labelNames.map(String);
}
