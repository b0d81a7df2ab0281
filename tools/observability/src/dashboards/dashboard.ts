import type { Panel } from './panel.js';

export interface Dashboard {
  /** Its file, and what links name it by. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly panels: readonly Panel[];
  /** A choice at the top: the values of `label` that `metric` has, as `$name`. */
  readonly choice?: { readonly name: string; readonly metric: string; readonly label: string };
}

const columns = 24;
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in.
const datasource = { type: 'prometheus', uid: '${datasource}' } as const;
const colours = ['green', 'yellow', 'red'] as const;

/** The dashboard as Grafana imports it. */
export function toGrafana({ uid, title, description, panels, choice }: Dashboard): object {
  return {
    uid,
    title,
    description,
    tags: ['evenkeel'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    annotations: { list: [] },
    links: [{ type: 'dashboards', title: 'Evenkeel', tags: ['evenkeel'], asDropdown: true, keepTime: true }],
    templating: {
      list: [
        { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
        ...(choice === undefined
          ? []
          : [
              {
                name: choice.name,
                label: choice.name,
                type: 'query',
                datasource,
                definition: `label_values(${choice.metric}, ${choice.label})`,
                query: { query: `label_values(${choice.metric}, ${choice.label})`, refId: 'choice' },
                refresh: 2,
                sort: 7,
                multi: true,
                includeAll: true,
                allValue: '.*',
                current: { text: 'All', value: '$__all' },
              },
            ]),
      ],
    },
    panels: placed(panels),
  };
}

/** From left to right; what does not fit goes below. */
function placed(panels: readonly Panel[]): object[] {
  let x = 0;
  let y = 0;
  let tallest = 0;
  return panels.map((panel, n) => {
    if (x + panel.width > columns) {
      x = 0;
      y += tallest;
      tallest = 0;
    }
    const gridPos = { x, y, w: panel.width, h: panel.height };
    x += panel.width;
    tallest = Math.max(tallest, panel.height);
    return { id: n + 1, gridPos, ...drawn(panel) };
  });
}

function drawn({ type, title, description, unit = 'short', queries, warn, isStacked, max }: Panel): object {
  if (type === 'row') return { type, title, collapsed: false, panels: [] };
  const isNow = type !== 'timeseries';
  const steps = [null, ...(warn ?? [])].map((value, n) => ({ color: colours[n], value }));
  return {
    type,
    title,
    ...(description !== undefined && { description }),
    datasource,
    targets: queries.map(({ expr, legend }, n) => ({
      refId: String.fromCharCode(65 + n),
      datasource,
      expr,
      ...(legend !== undefined && { legendFormat: legend }),
      ...(isNow ? { instant: true, range: false } : { instant: false, range: true }),
      ...(type === 'table' && { format: 'table' }),
    })),
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        ...(max !== undefined && { max }),
        thresholds: { mode: 'absolute', steps },
        ...(isNow
          ? { color: { mode: 'thresholds' } }
          : {
              custom: {
                fillOpacity: isStacked ? 30 : 5,
                showPoints: 'never',
                spanNulls: false,
                stacking: { mode: isStacked ? 'normal' : 'none' },
                thresholdsStyle: { mode: warn === undefined ? 'off' : 'line' },
              },
            }),
      },
      overrides: [],
    },
    ...(type !== 'table' &&
      type !== 'timeseries' && { options: { reduceOptions: { calcs: ['lastNotNull'] } } }),
  };
}
