import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stateDir, UsageError } from '@evenkeel/local';
import { linkDependencies } from './checkout.js';

const root = join(import.meta.dirname, '..', '..');
const services = ['services/edge', 'services/gateway', 'services/balancer'];
const packages = ['client', 'publisher', 'operator'] as const;
/** Where packages have been, newest first. */
const packageFolders = ['packages', 'libs'];
const buildTimeoutMs = 10 * 60_000;

/** A compiled checkout. */
export interface Tree {
  readonly name: string;
  readonly commit: string;
  readonly dir: string;
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: buildTimeoutMs,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return stdout.trim();
  throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${stdout}${stderr}`);
}

/**
 * The compiled package of `tree`, to be imported.
 * @throws Error when it has none.
 */
export function moduleOf(
  { name, dir }: Pick<Tree, 'name' | 'dir'>,
  which: (typeof packages)[number],
): string {
  const folder = packageFolder(dir, which);
  if (folder === undefined) throw new Error(`${name} has no package ${which}`);
  return pathToFileURL(join(dir, folder, 'dist', 'index.js')).href;
}

const packageFolder = (dir: string, which: string): string | undefined =>
  packageFolders
    .map((folder) => join(folder, which))
    .find((path) => existsSync(join(dir, path, 'package.json')));

/** This checkout, as it is. */
export function thisTree(): Tree {
  const isDirty = run('git', ['status', '--porcelain', '--untracked-files=no'], root) !== '';
  const commit = run('git', ['rev-parse', '--short', 'HEAD'], root);
  return { name: 'tree', commit: isDirty ? `${commit} with changes` : commit, dir: root };
}

/**
 * Checks out `ref` beside this tree, installs what its lock file asks for, and compiles its services and packages. Kept for the next
 * time.
 * @throws Error when git does not know `ref`, or it cannot be built.
 */
export function buildTree(ref: string, say: (line: string) => void): Tree {
  const commit = commitOf(ref);
  const dir = join(stateDir, 'compare', commit);
  // Its name says what has been compiled.
  const built = join(dir, '.built-services-packages');
  const tree = { name: 'base', commit: commit.slice(0, 8), dir };
  if (existsSync(built)) return tree;
  say(`Building ${ref} (${tree.commit}) …`);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dirname(dir), { recursive: true });
  run('git', ['clone', '--quiet', '--no-checkout', root, dir], root);
  run('git', ['checkout', '--quiet', commit], dir);
  install(dir);
  const projects = [...services, ...packages.flatMap((each) => packageFolder(dir, each) ?? [])];
  run(process.execPath, [join(dir, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', ...projects], dir);
  writeFileSync(built, '');
  return tree;
}

function commitOf(ref: string): string {
  try {
    return run('git', ['rev-parse', '--verify', `${ref}^{commit}`], root);
  } catch (cause) {
    const isShallow = run('git', ['rev-parse', '--is-shallow-repository'], root) === 'true';
    const advice = isShallow ? ' This clone is shallow: git fetch --unshallow brings the rest.' : '';
    throw new UsageError(`git does not know ${ref}.${advice}`, { cause });
  }
}

/** Links of this tree's dependencies where both lock files agree, else npm. */
function install(dir: string): void {
  const lock = (of: string) => readFileSync(join(of, 'package-lock.json'), 'utf8');
  if (lock(dir) === lock(root) && linkDependencies(root, dir)) return;
  run('npm', ['ci', '--loglevel=error'], dir);
}
