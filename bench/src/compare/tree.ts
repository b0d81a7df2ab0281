import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stateDir } from '@evenkeel/local';
import { linkDependencies } from '../checkout.js';

export const root = join(import.meta.dirname, '..', '..', '..');
const services = ['services/edge', 'services/gateway'];
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

/** This checkout, as it is. */
export function thisTree(): Tree {
  const isDirty = run('git', ['status', '--porcelain', '--untracked-files=no'], root) !== '';
  const commit = run('git', ['rev-parse', '--short', 'HEAD'], root);
  return { name: 'tree', commit: isDirty ? `${commit} with changes` : commit, dir: root };
}

/**
 * Checks out `ref` beside this tree, installs what its lock file asks for, and compiles its services. Kept for the next time.
 * @throws Error when git does not know `ref`, or it cannot be built.
 */
export function buildTree(ref: string, say: (line: string) => void): Tree {
  const commit = run('git', ['rev-parse', '--verify', `${ref}^{commit}`], root);
  const dir = join(stateDir, 'compare', commit);
  const built = join(dir, '.built');
  const tree = { name: 'base', commit: commit.slice(0, 8), dir };
  if (existsSync(built)) return tree;
  say(`Building ${ref} (${tree.commit}) …`);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dirname(dir), { recursive: true });
  run('git', ['clone', '--quiet', '--no-checkout', root, dir], root);
  run('git', ['checkout', '--quiet', commit], dir);
  install(dir);
  run(process.execPath, [join(dir, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', ...services], dir);
  writeFileSync(built, '');
  return tree;
}

/** Links of this tree's dependencies where both lock files agree, else npm. */
function install(dir: string): void {
  const lock = (of: string) => readFileSync(join(of, 'package-lock.json'), 'utf8');
  if (lock(dir) === lock(root) && linkDependencies(root, dir)) return;
  run('npm', ['ci', '--loglevel=error'], dir);
}
