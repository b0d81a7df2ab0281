import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../paths.js';

const bin = (name: string): string => join(root, 'node_modules', '.bin', name);

const rooms = ['libs', 'packages', 'services', 'tools', 'bench', 'test'];

interface Check {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** Static checks; each can be run alone with `npx`. */
const checks: readonly Check[] = [
  { name: 'types', command: bin('tsc'), args: ['-b'] },
  { name: 'types of tests', command: bin('tsc'), args: ['-p', 'tsconfig.tests.json'] },
  { name: 'format and lint', command: bin('biome'), args: ['check', '.', '--error-on-warnings'] },
  {
    name: 'import direction',
    command: bin('depcruise'),
    args: ['--config', '.dependency-cruiser.cjs', ...rooms],
  },
  {
    name: 'cycles of folders',
    command: bin('depcruise'),
    args: ['--config', '.dependency-cruiser.folders.cjs', ...rooms],
  },
  {
    name: 'spelling',
    command: bin('cspell'),
    args: ['--no-progress', '--no-summary', '--dot', '--gitignore', '**/*.md'],
  },
  { name: 'unused code', command: bin('knip'), args: ['--no-progress'] },
];

/** Longest source file, in lines: beyond it a file holds more than one thing. */
const maxLines = 400;

/** `npm run check`: runs them all, and looks at the size of files, even after a failure; exit status 1 if any failed. */
export async function run(): Promise<void> {
  const failed: string[] = [];
  for (const { name, command, args } of checks) {
    process.stdout.write(`\n== ${name}\n`);
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    const [status] = (await once(child, 'exit')) as [number | null];
    if (status !== 0) failed.push(name);
  }
  process.stdout.write('\n== size of files\n');
  const tooLong = longFiles();
  for (const { path, lines } of tooLong)
    process.stdout.write(`${path} has ${lines} lines; split it, ${maxLines} are the most\n`);
  if (tooLong.length > 0) failed.push('size of files');
  process.stdout.write(failed.length === 0 ? '\nAll checks passed.\n' : `\nFailed: ${failed.join(', ')}.\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

/** Source files that git knows, or does not ignore, and that are longer. */
function longFiles(): { path: string; lines: number }[] {
  const patterns = ['ts', 'tsx', 'mts', 'js', 'mjs', 'cjs', 'py'].map((ending) => `*.${ending}`);
  const { stdout } = spawnSync('git', ['ls-files', '-co', '--exclude-standard', ...patterns], {
    cwd: root,
    encoding: 'utf8',
  });
  return stdout
    .split('\n')
    .filter((path) => path !== '' && existsSync(join(root, path)))
    .map((path) => ({ path, lines: readFileSync(join(root, path), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > maxLines);
}
