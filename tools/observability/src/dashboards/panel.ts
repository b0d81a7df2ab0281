/** A line, a number or a row of a panel: what Prometheus is asked, and how the answer is called. */
export interface Query {
  readonly expr: string;
  /** Grafana's legend: `{{label}}` is filled in. */
  readonly legend?: string;
}

/** Units as Grafana names them. */
type Unit = 'short' | 's' | 'bytes' | 'Bps' | 'ops' | 'percentunit' | 'dateTimeFromNow';

export interface Panel {
  readonly type: 'stat' | 'timeseries' | 'bargauge' | 'table' | 'row';
  readonly title: string;
  readonly description?: string;
  readonly unit?: Unit;
  /** Of 24. */
  readonly width: number;
  readonly height: number;
  readonly queries: readonly Query[];
  /** From here on it is yellow, and red. */
  readonly warn?: readonly [number, number];
  readonly isStacked?: boolean;
  readonly max?: number;
}

type Given = Omit<Panel, 'type' | 'width' | 'height'> & Partial<Pick<Panel, 'width' | 'height'>>;

/** One number. */
export const stat = (panel: Given): Panel => ({ type: 'stat', width: 4, height: 4, ...panel });
/** Lines over time. */
export const lines = (panel: Given): Panel => ({ type: 'timeseries', width: 8, height: 8, ...panel });
/** A bar for each series, now. */
export const bars = (panel: Given): Panel => ({ type: 'bargauge', width: 12, height: 8, ...panel });
/** A row for each series, now. */
export const table = (panel: Given): Panel => ({ type: 'table', width: 12, height: 8, ...panel });
/** A heading over what follows. */
export const heading = (title: string): Panel => ({ type: 'row', title, width: 24, height: 1, queries: [] });

/** The p50 and p99 of a histogram. */
export function quantiles(name: string, by: readonly string[] = [], matchers = ''): readonly Query[] {
  const labels = ['le', ...by].join(', ');
  const legend = by.map((label) => ` {{${label}}}`).join('');
  return [0.5, 0.99].map((q) => ({
    expr: `histogram_quantile(${q}, sum by (${labels}) (rate(${name}_bucket${matchers}[$__rate_interval])))`,
    legend: `p${q * 100}${legend}`,
  }));
}

/** How fast a counter rises, a line for each value of `by`. */
export function rate(name: string, by: string, matchers = ''): Query {
  return {
    expr: `sum by (${by}) (rate(${name}${matchers}[$__rate_interval]))`,
    legend: `{{${by}}}`,
  };
}
