import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runToEnd } from './child.js';
import { Failure } from './failure.js';
import { makeIfStale } from './made.js';
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

/** What a program of its own makes for browsers; that takes seconds. */
const bundles = [
  // The SDK as the files that a page loads.
  {
    script: 'packages/client/build-browser.mjs',
    made: 'packages/client/dist/evenkeel.browser.js',
    sources: [
      'packages/client/src',
      'packages/client/mangled.json',
      'packages/client/tsconfig.json',
      'libs/pace/src',
      'libs/protocol/src',
    ],
  },
  // The console's page.
  {
    script: 'services/console/web/build.mjs',
    made: 'services/console/dist/web/console.js',
    sources: [
      'services/console/tsconfig.json',
      'services/console/web',
      'services/console/src',
      'libs/protocol/src',
    ],
  },
  // Each service in one file.
  {
    script: 'tools/local/bundle-services.mjs',
    made: 'services/edge/dist/bundled/main.js',
    stamp: 'services.js',
    sources: ['services', 'libs', 'packages'].flatMap(sourcesIn),
  },
] as const;

/** The folders of sources of all workspaces in a folder. */
function sourcesIn(folder: string): string[] {
  const all = readdirSync(join(root, folder)).map((name) => join(folder, name, 'src'));
  return all.filter((path) => existsSync(join(root, path)));
}

/** Compiles what has changed (`tsc -b`) of the mesh alone, of the mesh and the benches, or of everything. */
export async function compile(what: 'mesh' | 'tools' | 'all'): Promise<void> {
  const projects = {
    mesh: meshProjects,
    tools: [
      ...meshProjects,
      'bench',
      'packages/conformance',
      'services/balancer/sim',
      'services/gateway/sim',
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
  for (const { script, made, sources, ...named } of bundles) {
    const stamp = 'stamp' in named ? named.stamp : basename(made);
    await makeIfStale({
      made: join(root, made),
      // Goes with what it may have been made by: `npm ci` takes it away.
      stamp: join(root, 'node_modules', '.cache', 'evenkeel', stamp),
      sources: [script, ...sources, 'tsconfig.base.json', 'package-lock.json'].map((path) =>
        join(root, path),
      ),
      make: () => runNode([join(root, script)]),
    });
  }
}

async function runNode(args: readonly string[]): Promise<void> {
  const result = await runToEnd(process.execPath, args, { timeoutMs: 300_000 });
  if (result.status === 0) return;
  throw new Failure('compile', `Compiling failed:\n${result.stdout}${result.stderr}`);
}
