import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../paths.js';

const bin = (name: string): string => join(root, 'node_modules', '.bin', name);

const folders = ['libs', 'packages', 'services', 'tools', 'bench', 'test'];

/** Every static check; each can be run alone with `npx`. */
const checks: readonly { name: string; command: string; args: readonly string[] }[] = [
  { name: 'types', command: bin('tsc'), args: ['-b'] },
  { name: 'types of tests', command: bin('tsc'), args: ['-p', 'tsconfig.tests.json'] },
  { name: 'format and lint', command: bin('biome'), args: ['check', '.', '--error-on-warnings'] },
  {
    name: 'import direction',
    command: bin('depcruise'),
    args: ['--config', '.dependency-cruiser.cjs', ...folders],
  },
  {
    name: 'folders without cycles',
    command: bin('depcruise'),
    args: ['--config', '.dependency-cruiser.folders.cjs', ...folders],
  },
  {
    name: 'spelling',
    command: bin('cspell'),
    args: ['--no-progress', '--no-summary', '--dot', '--gitignore', '**/*.md'],
  },
  { name: 'unused code', command: bin('knip'), args: ['--no-progress'] },
  { name: 'reference', command: bin('typedoc'), args: [] },
];

/** `npm run check`: runs them all, even after a failure; exit status 1 if any failed. */
export async function run(): Promise<void> {
  const failed: string[] = [];
  for (const { name, command, args } of checks) {
    process.stdout.write(`\n== ${name}\n`);
    if (!existsSync(command)) {
      process.stdout.write(`not run: ${command} is missing; npm ci installs it\n`);
      continue;
    }
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    const [status] = (await once(child, 'exit')) as [number | null];
    if (status !== 0) failed.push(name);
  }
  process.stdout.write('\n== file size\n');
  const long = tooLong();
  process.stdout.write(long.map((line) => `${line}\n`).join(''));
  if (long.length > 0) failed.push('file size');
  process.stdout.write(failed.length === 0 ? '\nAll checks passed.\n' : `\nFailed: ${failed.join(', ')}.\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

const maxLines = 400;
const code = /[.](ts|tsx|js|mjs|cjs|py|css|html)$/;

/** Files of code over 400 lines. */
function tooLong(): string[] {
  const git = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = spawnSync('git', git, { cwd: root, encoding: 'utf8' });
  // Without git this is no checkout that anybody changes.
  if (listed.status !== 0) return [];
  return listed.stdout
    .split('\0')
    .filter((path) => code.test(path) && existsSync(join(root, path)))
    .map((path) => ({ path, lines: readFileSync(join(root, path), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > maxLines)
    .map(({ path, lines }) => `${path}: ${lines} lines, more than ${maxLines}; split it`);
}
