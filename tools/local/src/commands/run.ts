import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compile } from '../compile.js';
import { Failure } from '../failure.js';
import { root } from '../paths.js';
import { reportFailure, UsageError } from './flags.js';
import { tools } from './tools.js';

/**
 * `node tools/local/run.mjs NAME …`: compiles, then runs a tool in this process with the rest of the
 * command line. Nothing of ours goes to standard output: that is the tool's.
 */
export async function run(args: readonly string[]): Promise<void> {
  const [name = '', ...rest] = args;
  try {
    const file = tools[name];
    if (file === undefined) {
      throw new UsageError(`No tool "${name}". There are: ${Object.keys(tools).join(', ')}.`);
    }
    await compile('tools');
    const path = join(root, file);
    if (!existsSync(path)) throw new Failure('no-tool', `${file} is missing: its source does not exist yet.`);
    process.argv = [process.execPath, path, ...rest];
    await import(pathToFileURL(path).href);
  } catch (error) {
    process.exit(reportFailure(error));
  }
}
