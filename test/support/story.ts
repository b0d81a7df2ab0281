import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

/** Plays a scenario of `npm run story` and reads what it says with `--json`: also where something did not hold, which is exit status 1. */
export async function playStory<Result>(scenario: string, ...flags: string[]): Promise<Result> {
  const story = [join(root, 'tools', 'local', 'run.mjs'), 'story', '--scenario', scenario];
  const { stdout } = await run(process.execPath, [...story, ...flags, '--json'], {
    cwd: root,
    maxBuffer: 16 * 1024 * 1024,
  }).catch((error: Error & { stdout?: string }) => {
    if (!error.stdout) throw error;
    return { stdout: error.stdout };
  });
  return JSON.parse(stdout) as Result;
}
