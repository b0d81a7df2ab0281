import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Gives the checkout at `to` the dependencies of the one at `from`, which has the same lock file: as hard links, workspaces' own
 * included, since links between workspaces are relative. False, and nothing left behind, where there are no hard links.
 */
export function linkDependencies(from: string, to: string): boolean {
  const { stdout } = spawnSync('git', ['ls-files', 'package.json', '*/package.json'], {
    cwd: to,
    encoding: 'utf8',
  });
  const folders = stdout
    .trim()
    .split('\n')
    .map((path) => join(dirname(path), 'node_modules'))
    .filter((path) => existsSync(join(from, path)));
  if (folders.every((path) => spawnSync('cp', ['-al', join(from, path), join(to, path)]).status === 0))
    return true;
  for (const path of folders) rmSync(join(to, path), { recursive: true, force: true });
  return false;
}
