import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages } from '../apt.js';
import { findContainerEngine } from '../broker/container.js';
import { findInstalledBroker } from '../broker/installed.js';
import { Child } from '../child.js';
import { compile } from '../compile.js';
import { type Addresses, addressesOf, explain, portFlags, readdress } from '../docs/addresses.js';
import { type Block, blocksOf } from '../docs/blocks.js';
import { type BlockResult, Reader } from '../docs/run-block.js';
import { environment } from '../environment.js';
import { Failure } from '../failure.js';
import { endAllWatched } from '../guard.js';
import { root } from '../paths.js';
import { type RunFile, readRunFile, requireNoOtherRun } from '../run-file.js';
import { parseFlags, reportFailure } from './flags.js';

const help = `npm run test:docs [-- flags]   Runs every block of every document, and all of examples/, as printed.

  --only TEXT   only documents whose path contains it
  --help

It starts a mesh with \`npm start\` first, with a broker of its own, on the ports that the documents print: 5672, 8080,
8101, 8102, 8090 and 8070. Where one is taken it says so, takes another, and reads the printed addresses with that.
A comment in front of a block says how to take it: \`<!-- not run: why -->\` (it is listed), \`<!-- goes on -->\` (it does
not end by itself), \`<!-- in an empty project -->\` (outside of the repository, /path/to/evenkeel being its path).
The last line is "N passed, N failed".
`;

/** Programs of examples/, with what a reader types behind them. */
const examples: readonly (readonly [file: string, ...args: string[]])[] = [
  ['examples/publish.mjs', 'alice', '2'],
  ['examples/operate.mjs'],
  ['examples/service.mjs'],
  ['examples/client.mjs', 'alice'],
  ['examples/python-client/evenkeel_client.py', '--gateway', 'http://127.0.0.1:8080', '--user', 'alice'],
];

/** `npm run test:docs`. Ends the process when it is done. */
export async function run(args: readonly string[]): Promise<void> {
  let status = 0;
  try {
    const { only, help: wantsHelp } = parseFlags(args, {
      only: { type: 'string' },
      help: { type: 'boolean' },
    });
    if (wantsHelp) process.stdout.write(help);
    else status = await testDocuments(only);
  } catch (error) {
    status = reportFailure(error);
    process.stdout.write('0 passed, 1 failed\n');
  }
  await endAllWatched();
  process.exit(status);
}

async function testDocuments(only: string | undefined): Promise<number> {
  requireNoOtherRun();
  const texts = documents()
    .filter((document) => only === undefined || document.includes(only))
    .map((document) => blocksOf(document, readFileSync(join(root, document), 'utf8')));
  await ensurePackages(
    ['python3-pika', 'python3-websockets', 'python3-aio-pika', 'amqp-tools', 'chromium'],
    'for the blocks in Python and shell, and for pages',
  );
  await compile('all');
  if (texts.flat().some(({ ownProject }) => ownProject)) pack();

  const { mesh, running } = await startMesh();
  const addresses = addressesOf(running);
  const change = explain(addresses);
  if (change !== undefined) process.stdout.write(`${change}\n`);
  // Nobody has to set what is where the documents say.
  const env: Record<string, string> = change === undefined ? {} : { EVENKEEL_AMQP_URL: running.amqpUrl };
  const results: BlockResult[] = [];
  const read = async (steps: (reader: Reader) => AsyncIterable<BlockResult>): Promise<void> => {
    const reader = new Reader(addresses, env);
    try {
      for await (const result of steps(reader)) results.push(report(result));
    } finally {
      reader.close();
    }
  };
  const alice = openPage(addresses);
  try {
    for (const blocks of texts) await read((reader) => runBlocks(reader, blocks));
    if (only === undefined) await read(runExamples);
  } finally {
    await alice.stop(1_000);
    await mesh.stop(30_000);
  }
  const count = (outcome: BlockResult['outcome']) => results.filter((one) => one.outcome === outcome).length;
  process.stdout.write(`${count('not run')} not run\n${count('passed')} passed, ${count('failed')} failed\n`);
  return count('failed') === 0 && count('passed') > 0 ? 0 : 1;
}

async function* runBlocks(reader: Reader, blocks: readonly Block[]): AsyncGenerator<BlockResult> {
  for (const block of blocks) yield await reader.run(block);
}

async function* runExamples(reader: Reader): AsyncGenerator<BlockResult> {
  yield await reader.run({
    document: 'examples',
    line: 1,
    language: 'sh',
    text: 'export $(npx evenkeel env)',
  });
  for (const [file, ...args] of examples) yield await reader.runExample(file, args);
}

/** Every Markdown file that git knows, but for the notes of measurements. */
function documents(): string[] {
  const { stdout } = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
    cwd: root,
    encoding: 'utf8',
  });
  return stdout.split('\n').filter((path) => path !== '' && !path.startsWith('docs/notes/'));
}

/** The tarballs that the package READMEs install. */
function pack(): void {
  const main = join(root, 'tools', 'pack', 'dist', 'main.js');
  const { status, stderr } = spawnSync(process.execPath, [main], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Failure('pack', `npm run pack failed:\n${stderr}`);
}

/** `npm start` with what the documents take for granted, and with a broker that nobody else uses. */
async function startMesh(): Promise<{ mesh: Child; running: RunFile }> {
  const start = join(root, 'tools', 'local', 'start.mjs');
  const mesh = new Child({
    name: 'npm start',
    command: process.execPath,
    args: [start, '--json-logs', '--broker', await ownBroker(), ...(await portFlags())],
    env: environment(),
    cwd: root,
    onLine: () => {},
  });
  let running: RunFile | undefined;
  await mesh.waitUntil(async () => {
    running = readRunFile();
    if (running?.pid !== mesh.pid) return false;
    return await fetch(`${running.gateway}/gateway?user=docs`).then(
      ({ ok }) => ok,
      () => false,
    );
  }, 120_000);
  if (running === undefined) throw new Failure('no-run-file', 'npm start said nowhere what runs where.');
  return { mesh, running };
}

/** Where the broker comes from: one that is there already may have another mesh on it. */
async function ownBroker(): Promise<'local' | 'container'> {
  if (findInstalledBroker() !== undefined) return 'local';
  return (await findContainerEngine()) === undefined ? 'local' : 'container';
}

/** Who reads has the page of alice open. */
function openPage(addresses: Addresses): Child {
  return new Child({
    name: 'alice',
    command: process.execPath,
    args: [join(root, 'examples', 'client.mjs'), 'alice', readdress('http://127.0.0.1:8080', addresses)],
    env: environment(),
    cwd: root,
    onLine: () => {},
  });
}

function report(result: BlockResult): BlockResult {
  const { block, outcome, detail } = result;
  const lines = detail === '' ? '' : `: ${shortened(detail.trim().split('\n')).join('\n    ')}`;
  process.stdout.write(`${outcome.padEnd(7)} ${block.document}:${block.line} ${block.language}${lines}\n`);
  return result;
}

/** What fails says so at its end mostly, and what it was at its beginning. */
const shortened = (lines: readonly string[]): readonly string[] =>
  lines.length <= 40 ? lines : [...lines.slice(0, 5), '…', ...lines.slice(-34)];
