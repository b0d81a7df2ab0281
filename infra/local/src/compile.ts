import { join } from 'node:path';
import { runToEnd } from './child.js';
import { Failure } from './failure.js';
import { root } from './paths.js';

/** Compiles every workspace that has changed (`tsc -b`). */
export async function compileAll(): Promise<void> {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = await runToEnd(process.execPath, [tsc, '-b', root], { timeoutMs: 300_000 });
  if (result.status === 0) return;
  throw new Failure('compile', `Compiling failed:\n${result.stdout}${result.stderr}`);
}
