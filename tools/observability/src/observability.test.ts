import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { dashboardsFolder, rulesTestFiles, runbooks } from './files.js';
import {
  alerts,
  dashboardFile,
  dashboards,
  dashboardText,
  expressionsOf,
  hastened,
  metricsOf,
  rules,
} from './index.js';

describe('the dashboards', () => {
  test('in infra are those of the source: npm run dashboards writes them', () => {
    for (const dashboard of dashboards) {
      expect(readFileSync(dashboardFile(dashboard.uid), 'utf8')).toBe(dashboardText(dashboard));
    }
    expect(readdirSync(dashboardsFolder).toSorted()).toEqual(
      dashboards.map(({ uid }) => `${uid}.json`).toSorted(),
    );
  });

  test('read only recorded metrics that a rule records', () => {
    const recorded = rules().flatMap(({ record }) => record ?? []);
    const read = [
      ...dashboards.flatMap((dashboard) => expressionsOf(dashboard, '1m')),
      ...rules().map(({ expr }) => expr),
    ].flatMap(metricsOf);
    expect(read.filter((name) => name.includes(':') && !recorded.includes(name))).toEqual([]);
  });

  test('place no panel beside or over another', () => {
    for (const dashboard of dashboards) {
      const { panels } = JSON.parse(dashboardText(dashboard)) as {
        panels: { gridPos: { x: number; y: number; w: number; h: number } }[];
      };
      const taken = new Set<string>();
      for (const { gridPos } of panels) {
        expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect(taken).not.toContain(`${x},${y}`);
            taken.add(`${x},${y}`);
          }
      }
    }
  });
});

describe.each(alerts())('$alert', ({ alert, labels, annotations }) => {
  test('says how urgent it is, and what to do', () => {
    expect(['page', 'ticket']).toContain(labels?.severity);
    expect(annotations).toMatchObject({ summary: expect.any(String), description: expect.any(String) });
    expect(annotations?.runbook).toBe(`docs/runbooks.md#${alert.toLowerCase()}`);
    const [, runbook = ''] = runbooks().split(`\n## ${alert}\n`);
    for (const part of ['**Means**', '**Look**', '**Do**']) expect(runbook.split('\n## ')[0]).toContain(part);
  });

  test('has a test of its rule', () => {
    expect(
      rulesTestFiles()
        .map((file) => readFileSync(file, 'utf8'))
        .join(),
    ).toContain(alert);
  });
});

test('every runbook is of an alert that there is', () => {
  const named = [...runbooks().matchAll(/^## (Evenkeel\w+)$/gm)].map(([, name]) => name);
  expect(named).toEqual(alerts().map(({ alert }) => alert));
  expect(existsSync(dashboardsFolder)).toBe(true);
});

test('a hastened rule keeps what it compares, and waits less', () => {
  const text = '- alert: A\n  expr: increase(a_total[15m]) > 3 or b > 14 * 86400\n  for: 2m\n';
  expect(hastened(text, 60)).toBe(
    '- alert: A\n  expr: increase(a_total[15000ms]) > 3 or b > 14 * 86400\n  for: 2000ms\n',
  );
});

test('the metrics of an expression are found, whatever else it holds', () => {
  const expr =
    'histogram_quantile(0.9, sum by (le) (rate(evenkeel_x_seconds_bucket{job="up"}[5m]))) > up * a:b';
  expect(metricsOf(expr)).toEqual(['evenkeel_x_seconds', 'up']);
});
