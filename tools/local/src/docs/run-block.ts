import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment } from '../environment.js';
import { root } from '../paths.js';
import { type Block, mannerOf } from './blocks.js';

/** What became of a block. */
export interface BlockResult {
  readonly block: Block;
  readonly outcome: 'passed' | 'failed' | 'not run';
  /** What went wrong, or why it was not run. */
  readonly detail: string;
}

/** A program of a document that goes on by itself (a client, a service) has done well when it lives this long. */
const livesMs = 5_000;
const timeoutMs = 90_000;

/** Runs one block as it is printed, in the repository's root, beside a mesh that `npm start` has started. */
export async function runBlock(block: Block): Promise<BlockResult> {
  const { text } = block;
  if (block.notRun !== undefined) return { block, outcome: 'not run', detail: block.notRun };
  switch (mannerOf(block)) {
    case 'none':
      return { block, outcome: 'not run', detail: 'no program' };
    case 'json':
      return checkJson(block);
    case 'shell':
      return await asResult(
        block,
        ['bash', ['-euo', 'pipefail', '-c', withoutStart(text)]],
        block.goesOn ? livesMs : timeoutMs,
        block.goesOn,
      );
    case 'python':
      return await asResult(block, ['python3', ['-c', text]], livesMs, true);
    case 'module':
      return await runModule(block);
  }
}

/** The mesh runs already: `npm start` itself is what every other block stands on. */
const withoutStart = (script: string): string =>
  script
    .split('\n')
    .filter((line) => !/^npm start(\s+#.*)?$/.test(line.trim()))
    .join('\n');

/** Lines of JSON, each or all together; `…` stands for what is left out. */
function checkJson(block: Block): BlockResult {
  try {
    JSON.parse(block.text);
  } catch {
    try {
      for (const line of block.text.split('\n')) JSON.parse(line);
    } catch (error) {
      return { block, outcome: 'failed', detail: error instanceof Error ? error.message : String(error) };
    }
  }
  return { block, outcome: 'passed', detail: '' };
}

/** As a file inside the repository, where its imports resolve as they do for examples. */
async function runModule(block: Block): Promise<BlockResult> {
  const folder = mkdtempSync(join(root, 'examples', '.docs-'));
  try {
    const file = join(folder, 'block.mjs');
    writeFileSync(file, block.text);
    return await asResult(block, [process.execPath, [file]], livesMs, true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function asResult(
  block: Block,
  [command, args]: readonly [string, readonly string[]],
  limitMs: number,
  mayGoOn = false,
): Promise<BlockResult> {
  const { status, output } = await runWatched(command, args, limitMs);
  const isFine = status === 0 || (mayGoOn && status === 'alive');
  const detail = isFine ? '' : `${status === 'alive' ? 'did not end' : `exit status ${status}`}\n${output}`;
  return { block, outcome: isFine ? 'passed' : 'failed', detail };
}

/** Runs a program in a group of its own; `alive` when it had to be ended after `limitMs`. */
export async function runWatched(
  command: string,
  args: readonly string[],
  limitMs: number,
): Promise<{ status: number | 'alive'; output: string }> {
  const child = spawn(command, args, {
    cwd: root,
    // Debian's own Python has Debian's modules.
    env: { ...environment(), PATH: `/usr/bin:${environment().PATH ?? ''}` },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let isAlive = false;
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const timer = setTimeout(() => {
    isAlive = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, limitMs);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { status: isAlive ? 'alive' : (code ?? 1), output };
  } catch (error) {
    return { status: 127, output: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
