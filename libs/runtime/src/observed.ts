import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** A gauge that is read when it is scraped, so that keeping it costs nothing in between. */
export function observeGauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

/** A gauge for each value of one label, read when it is scraped: what is not there any more goes. */
export function observeGauges(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  read: () => Iterable<readonly [string, number]>,
): void {
  new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, number] of read()) this.set({ [label]: value }, number);
    },
  });
}

/** A counter that somebody else counts; `read` gives its total since the start. */
export function observeCounter(registry: Registry, name: string, help: string, read: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

/** A counter for each value of one label that somebody else counts; `read` gives the totals since the start. */
export function observeCounters(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  read: () => Iterable<readonly [string, number]>,
): void {
  new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, number] of read()) this.inc({ [label]: value }, number);
    },
  });
}

/** What somebody else has counted. */
export interface Distribution {
  /** Upper bounds, ascending. */
  readonly bounds: readonly number[];
  /** Of each bound those up to it and beyond the one before; one more: those beyond all. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** A histogram that somebody else counts; `read` gives it when it is scraped. */
export function observeHistogram(
  registry: Registry,
  name: string,
  help: string,
  read: () => Distribution,
): void {
  registry.registerMetric(new ReadHistogram(name, help, undefined, () => [['', read()]]));
}

/** A histogram for each value of one label that somebody else counts. */
export function observeHistograms(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  read: () => Iterable<readonly [string, Distribution]>,
): void {
  registry.registerMetric(new ReadHistogram(name, help, label, read));
}

/** What does not change while the process runs, as labels of a gauge that is 1. */
export function observeInfo(
  registry: Registry,
  name: string,
  help: string,
  labels: Readonly<Record<string, string>>,
): void {
  new Gauge({ name, help, labelNames: Object.keys(labels), registers: [registry] }).set({ ...labels }, 1);
}

class ReadHistogram extends Histogram<string> {
  readonly #name: string;
  readonly #help: string;
  readonly #label: string | undefined;
  readonly #read: () => Iterable<readonly [string, Distribution]>;

  constructor(
    name: string,
    help: string,
    label: string | undefined,
    read: () => Iterable<readonly [string, Distribution]>,
  ) {
    super({ name, help, labelNames: label === undefined ? [] : [label], registers: [] });
    this.#name = name;
    this.#help = help;
    this.#label = label;
    this.#read = read;
  }

  /** What the registry asks for when it writes text, and `get` for its own; prom-client's types do not name it. */
  async getForPromString(): Promise<object> {
    const values = [...this.#read()].flatMap(([value, distribution]) => this.#lines(value, distribution));
    return { name: this.#name, help: this.#help, type: 'histogram', values, aggregator: 'sum' };
  }

  #lines(value: string, { bounds, counts, sum }: Distribution): object[] {
    const labels = this.#label === undefined ? {} : { [this.#label]: value };
    let total = 0;
    const buckets = [...bounds, '+Inf'].map((le, n) => {
      total += counts[n] ?? 0;
      return { labels: { le, ...labels }, value: total, metricName: `${this.#name}_bucket` };
    });
    return [
      ...buckets,
      { labels, value: sum, metricName: `${this.#name}_sum` },
      { labels, value: total, metricName: `${this.#name}_count` },
    ];
  }
}
