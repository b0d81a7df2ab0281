import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages } from '../apt.js';
import { Child } from '../child.js';
import { compile } from '../compile.js';
import { type Block, blocksOf } from '../docs/blocks.js';
import { type BlockResult, runBlock, runWatched } from '../docs/run-block.js';
import { environment } from '../environment.js';
import { Failure } from '../failure.js';
import { endAllWatched } from '../guard.js';
import { root } from '../paths.js';
import { readRunFile } from '../run-file.js';
import { parseFlags, reportFailure } from './flags.js';

const help = `npm run test:docs [-- flags]   Runs every block of every document, and all of examples/, as printed.

  --only TEXT   only documents whose path contains it
  --help

It starts a mesh with \`npm start\` first, on the ports that the documents name: 5672, 8080, 8101 and 8102 must be free.
A block with \`<!-- not run: why -->\` in front of it is left out, and listed.
`;

/** Programs of examples/, with what a reader types behind them. */
const examples: readonly (readonly string[])[] = [
  ['node', 'examples/publish.mjs', 'alice', '2'],
  ['node', 'examples/operate.mjs'],
  ['node', 'examples/service.mjs'],
  ['node', 'examples/client.mjs', 'alice'],
  [
    'python3',
    'examples/python-client/evenkeel_client.py',
    '--gateway',
    'http://127.0.0.1:8080',
    '--user',
    'alice',
  ],
];
const exampleLivesMs = 6_000;

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
  }
  await endAllWatched();
  process.exit(status);
}

async function testDocuments(only: string | undefined): Promise<number> {
  const blocks = documents()
    .filter((document) => only === undefined || document.includes(only))
    .flatMap((document) => blocksOf(document, readFileSync(join(root, document), 'utf8')));
  await ensurePackages(
    ['python3-pika', 'python3-websockets', 'amqp-tools'],
    'for the blocks in Python and shell',
  );
  await compile('all');
  const mesh = await startMesh();
  // Who reads has the page of alice open.
  const alice = new Child({
    name: 'alice',
    command: process.execPath,
    args: [join(root, 'examples', 'client.mjs'), 'alice'],
    env: environment(),
    cwd: root,
    onLine: () => {},
  });
  const results: BlockResult[] = [];
  try {
    for (const block of blocks) results.push(report(await runBlock(block)));
    if (only === undefined) for (const command of examples) results.push(report(await runExample(command)));
  } finally {
    await alice.stop(1_000);
    await mesh.stop(30_000);
  }
  const count = (outcome: BlockResult['outcome']) => results.filter((one) => one.outcome === outcome).length;
  process.stdout.write(`${count('not run')} not run\n${count('passed')} passed, ${count('failed')} failed\n`);
  return count('failed') === 0 && count('passed') > 0 ? 0 : 1;
}

/** Every Markdown file that git knows, but for the notes of measurements. */
function documents(): string[] {
  const { stdout } = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
    cwd: root,
    encoding: 'utf8',
  });
  return stdout.split('\n').filter((path) => path !== '' && !path.startsWith('docs/notes/'));
}

/** `npm start` with what the documents take for granted. */
async function startMesh(): Promise<Child> {
  const child = new Child({
    name: 'npm start',
    command: process.execPath,
    args: [join(root, 'tools', 'local', 'start.mjs'), '--json-logs'],
    env: environment(),
    cwd: root,
    onLine: () => {},
  });
  const isUp = async () => {
    const file = readRunFile();
    if (file === undefined || file.pid !== child.pid) return false;
    return await fetch(`${file.gateway}/gateway?user=docs`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  await child.waitUntil(isUp, 120_000);
  const file = readRunFile();
  if (
    file?.gateway.endsWith(':8080') &&
    new URL(file.amqpUrl).port !== '' &&
    !file.amqpUrl.includes(':5672')
  ) {
    await child.stop(30_000);
    throw new Failure(
      'port-taken',
      `Port 5672 is taken by something that is no broker of ours; free it and try again.`,
    );
  }
  return child;
}

async function runExample(command: readonly string[]): Promise<BlockResult> {
  const [program = '', ...args] = command;
  const block: Block = { document: command.slice(1).join(' '), line: 1, language: '', text: '' };
  const { status, output } = await runWatched(program, args, exampleLivesMs);
  const isFine = status === 0 || status === 'alive';
  return { block, outcome: isFine ? 'passed' : 'failed', detail: isFine ? '' : `${status}\n${output}` };
}

function report(result: BlockResult): BlockResult {
  const { block, outcome, detail } = result;
  if (detail === 'no program') return result;
  const lines = detail === '' ? '' : `: ${detail.trim().split('\n').slice(0, 20).join('\n    ')}`;
  process.stdout.write(`${outcome.padEnd(7)} ${block.document}:${block.line} ${block.language}${lines}\n`);
  return result;
}
