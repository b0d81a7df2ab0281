import { control } from './dashboards/control.js';
import { type Dashboard, toGrafana } from './dashboards/dashboard.js';
import { edges } from './dashboards/edges.js';
import { mesh } from './dashboards/mesh.js';

export { dashboardFile, rulesFiles, rulesTestFiles } from './files.js';
export { alerts, hastened, metricsOf, type Rule, rules } from './rules.js';

/** The dashboards, as they are meant; `infra/observability/grafana/dashboards` has them as Grafana imports them. */
export const dashboards: readonly Dashboard[] = [mesh, edges, control];

/** The text of a dashboard's file. */
export function dashboardText(dashboard: Dashboard): string {
  return `${JSON.stringify(toGrafana(dashboard), null, 2)}\n`;
}

/** What a dashboard asks Prometheus, with its choices made and Grafana's window filled in. */
export function expressionsOf({ panels, choice }: Dashboard, window: string): string[] {
  return panels
    .flatMap(({ queries }) => queries)
    .map(({ expr }) => {
      const chosen = choice === undefined ? expr : expr.replaceAll(`$${choice.name}`, '.*');
      return chosen.replaceAll('$__rate_interval', window);
    });
}
