import { join } from 'node:path';
import { runToEnd } from './child.js';
import { Failure } from './failure.js';
import { root } from './paths.js';

/** What a running mesh consists of, and the command line to operate it. */
const meshProjects = [
  'services/edge',
  'services/gateway',
  'services/balancer',
  'services/console',
  'services/api',
  'services/demo',
  'packages/client',
  'packages/operator',
] as const;

/** Compiles what has changed (`tsc -b`) of the mesh alone, of the mesh and the benches, or of everything. */
export async function compile(what: 'mesh' | 'tools' | 'all'): Promise<void> {
  const projects = {
    mesh: meshProjects,
    tools: [
      ...meshProjects,
      'bench',
      'packages/conformance',
      'tools/observability',
      'tools/pack',
      'tools/pictures',
      'test',
    ],
    all: ['.'],
  }[what];
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const paths = projects.map((project) => join(root, project));
  await runNode([tsc, '-b', ...paths]);
  // The SDK as the files that a browser loads.
  await runNode([join(root, 'packages', 'client', 'build-browser.mjs')]);
  // The console's page.
  await runNode([join(root, 'services', 'console', 'web', 'build.mjs')]);
}

async function runNode(args: readonly string[]): Promise<void> {
  const result = await runToEnd(process.execPath, args, { timeoutMs: 300_000 });
  if (result.status === 0) return;
  throw new Failure('compile', `Compiling failed:\n${result.stdout}${result.stderr}`);
}
