import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = join(root, 'infra', 'observability');

export const dashboardsFolder = join(folder, 'grafana', 'dashboards');
/** What `promtool test rules` runs. */
const rulesTestsFolder = join(folder, 'rules-tests');
const rulesFolder = join(folder, 'rules');

/** Where the dashboard of this uid is. */
export const dashboardFile = (uid: string): string => join(dashboardsFolder, `${uid}.json`);

const yamlIn = (dir: string): string[] =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.yml'))
    .map((name) => join(dir, name));

/** The files of rules: those that record, and those that alert. */
export const rulesFiles = (): string[] => yamlIn(rulesFolder);
/** Their tests. */
export const rulesTestFiles = (): string[] => yamlIn(rulesTestsFolder);
/** What operators are to do, a heading for each alert. */
export const runbooks = (): string => readFileSync(join(root, 'docs', 'runbooks.md'), 'utf8');
