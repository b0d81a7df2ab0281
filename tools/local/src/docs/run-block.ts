import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environment } from '../environment.js';
import { watchOver } from '../guard.js';
import { root } from '../paths.js';
import { type Addresses, readdress } from './addresses.js';
import { type Block, mannerOf } from './blocks.js';
import { checkPage } from './page.js';
import { type Ended, runWatched } from './watched.js';

/** What became of a block. */
export interface BlockResult {
  readonly block: Block;
  readonly outcome: 'passed' | 'failed' | 'not run';
  /** What went wrong, or why it was not run. */
  readonly detail: string;
}

/** A program of a document that goes on by itself (a client, a service) has done well when it lives this long. */
const livesMs = 5_000;
const timeoutMs = 120_000;

/** What the package READMEs print where a reader puts the path of the own checkout. */
const checkout = '/path/to/evenkeel';

/**
 * Somebody who reads one document beside a mesh that `npm start` has started, and does what it says, in one terminal: what
 * a block exports is there in those that follow.
 */
export class Reader {
  readonly #addresses: Addresses;
  /** Outside of the repository, so that nothing of the repository's is found from there. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'evenkeel-docs-'));
  readonly #release = watchOver({ kind: 'path', path: this.#folder });
  #env: Readonly<Record<string, string>>;

  constructor(addresses: Addresses, env: Readonly<Record<string, string>>) {
    this.#addresses = addresses;
    // Debian's own Python has Debian's modules; our package stands for the installed one.
    const python = { PYTHONPATH: join(root, 'packages', 'python'), PYTHONDONTWRITEBYTECODE: '1' };
    this.#env = { ...environment(), ...env, ...python, PATH: `/usr/bin:${environment().PATH ?? ''}` };
  }

  /** Ends the reading: the folder for the blocks that want a project of their own goes. */
  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
    this.#release();
  }

  /** Runs one block as it is printed, but for addresses whose ports are taken. */
  async run(block: Block): Promise<BlockResult> {
    if (block.notRun !== undefined) return { block, outcome: 'not run', detail: block.notRun };
    const text = readdress(block.text, this.#addresses);
    switch (mannerOf(block)) {
      case 'none':
        return { block, outcome: 'not run', detail: 'a drawing or a list, no program' };
      case 'json':
        return checkJson(block);
      case 'page':
        return asResult(block, await checkPage(text));
      case 'shell':
        return asResult(block, await this.#runShell(block, withoutStart(text)), block.goesOn);
      case 'python':
        return asResult(block, await this.#run('python3', ['-c', text], livesMs), true);
      case 'module':
        return asResult(block, await this.#runModule(text), true);
    }
  }

  /** Runs a program of examples/, with what a reader types behind its name. */
  async runExample(file: string, args: readonly string[]): Promise<BlockResult> {
    const block: Block = { document: [file, ...args].join(' '), line: 1, language: '', text: '' };
    const addressed = args.map((arg) => readdress(arg, this.#addresses));
    const [command, ...flags] = file.endsWith('.py') ? ['python3', '-B'] : [process.execPath];
    return asResult(
      block,
      await this.#run(command, [...flags, join(root, file), ...addressed], livesMs),
      true,
    );
  }

  async #runShell(block: Block, text: string): Promise<Ended> {
    const exported = join(this.#folder, 'exported');
    const script = `${text.replaceAll(checkout, root)}\nenv -0 > '${exported}'\n`;
    const cwd = block.ownProject ? this.#newProject() : root;
    const ended = await this.#run(
      'bash',
      ['-euo', 'pipefail', '-c', script],
      block.goesOn ? livesMs : timeoutMs,
      cwd,
    );
    if (ended.status === 0) this.#env = readExported(exported);
    return ended;
  }

  #newProject(): string {
    const folder = mkdtempSync(join(this.#folder, 'project-'));
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    return folder;
  }

  /** As a file inside the repository, where its imports resolve as they do for examples. */
  async #runModule(text: string): Promise<Ended> {
    const folder = mkdtempSync(join(root, 'examples', '.docs-'));
    try {
      const file = join(folder, 'block.mjs');
      writeFileSync(file, text);
      return await this.#run(process.execPath, [file], livesMs);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  #run(command: string, args: readonly string[], limitMs: number, cwd = root): Promise<Ended> {
    return runWatched(command, args, { limitMs, cwd, env: this.#env });
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

function asResult(block: Block, { status, output }: Ended, mayGoOn = false): BlockResult {
  if (status === 0 || (mayGoOn && status === 'alive')) return { block, outcome: 'passed', detail: '' };
  const how = status === 'alive' ? 'did not end' : `exit status ${status}`;
  return { block, outcome: 'failed', detail: `${how}\n${output}` };
}

/** What `env -0` wrote. */
function readExported(file: string): Record<string, string> {
  const entries = readFileSync(file, 'utf8').split('\0').filter(Boolean);
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}
