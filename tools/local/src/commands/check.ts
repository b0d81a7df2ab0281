import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root } from '../paths.js';

const bin = (name: string): string => join(root, 'node_modules', '.bin', name);

/** Every static check; each can be run alone with `npx`. */
const checks: readonly { name: string; command: string; args: readonly string[] }[] = [
  { name: 'types', command: bin('tsc'), args: ['-b'] },
  { name: 'types of tests', command: bin('tsc'), args: ['-p', 'tsconfig.tests.json'] },
  { name: 'format and lint', command: bin('biome'), args: ['check', '.', '--error-on-warnings'] },
  {
    name: 'import direction',
    command: bin('depcruise'),
    args: [
      ...[
        '--config',
        '.dependency-cruiser.cjs',
        '--ignore-known',
        '.dependency-cruiser-known-violations.json',
      ],
      ...['libs', 'packages', 'services', 'tools', 'bench', 'test'],
    ],
  },
  {
    name: 'spelling',
    command: bin('cspell'),
    args: ['--no-progress', '--no-summary', '--dot', '--gitignore', '**/*.md'],
  },
  { name: 'unused code', command: bin('knip'), args: ['--no-progress'] },
];

/** `npm run check`: runs them all, even after a failure; exit status 1 if any failed. */
export async function run(): Promise<void> {
  const failed: string[] = [];
  for (const { name, command, args } of checks) {
    process.stdout.write(`\n== ${name}\n`);
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    const [status] = (await once(child, 'exit')) as [number | null];
    if (status !== 0) failed.push(name);
  }
  process.stdout.write(failed.length === 0 ? '\nAll checks passed.\n' : `\nFailed: ${failed.join(', ')}.\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
