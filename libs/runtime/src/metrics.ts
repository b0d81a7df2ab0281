import { collectDefaultMetrics, Registry } from 'prom-client';

/** How a registry is labelled and what it holds at first. */
export interface MetricsOptions {
  service: string;
  node?: string | undefined;
  /** Node's own metrics (event loop, memory, garbage collection). Default true. */
  defaults?: boolean;
}

/** A registry of its own, every metric labelled with `service` and, where given, `node`. */
export function createMetrics(options: MetricsOptions): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({
    service: options.service,
    ...(options.node === undefined ? {} : { node: options.node }),
  });
  if (options.defaults ?? true) collectDefaultMetrics({ register: registry });
  return registry;
}
