/** `npm run bench:figures`: the tables of documents from bench/results, or results into it. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseFlags, reportFailure, UsageError } from '@evenkeel/local';
import { frontRun } from './figures/fronts.js';
import { type AllMeasured, tables, withTables } from './figures/tables.js';

const root = join(import.meta.dirname, '..', '..');
const help = `npm run bench:figures -- [flags]   Writes the tables of the documents from bench/results.

  --take NAME     first makes bench/results/NAME.json (move, move-long, move-faults, fronts, sizing, presence, history, chaos, soak or
                  mutants) of the results on standard input, one JSON object a line, as bench:move, bench:sizing, bench:presence,
                  bench:history, story, chaos, soak and bench:mutants -- --random print them with --json; the commit is the present one
  --command TEXT  how they were made
  --help
`;

const fileOf = (name: string): string => join(root, 'bench', 'results', `${name}.json`);
const read = (name: string) => JSON.parse(readFileSync(fileOf(name), 'utf8'));

const taken: readonly string[] = [
  'move',
  'move-long',
  'move-faults',
  'fronts',
  'sizing',
  'presence',
  'history',
  'chaos',
  'soak',
  'mutants',
];

function take(name: string, command: string): void {
  if (!taken.includes(name)) throw new UsageError(`No results "${name}".`);
  const lines = readFileSync(0, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'));
  const measured = {
    date: new Date().toISOString().slice(0, 10),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim(),
    machine:
      `${availableParallelism()} cores shared with broker, edges, clients and publisher; ` +
      `${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.versions.node}`,
    command,
    results: lines.map((line) => (name === 'fronts' ? frontRun(JSON.parse(line)) : JSON.parse(line))),
  };
  writeFileSync(fileOf(name), `${JSON.stringify(measured, null, 1)}\n`);
}

try {
  const flags = parseFlags(process.argv.slice(2), {
    take: { type: 'string' },
    command: { type: 'string', default: 'npm run bench:move' },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) process.stdout.write(help);
  else {
    if (flags.take !== undefined) take(flags.take, flags.command);
    const measured: AllMeasured = {
      move: read('move'),
      long: read('move-long'),
      faults: read('move-faults'),
      sessions: read('sessions'),
      fronts: read('fronts'),
      sizing: read('sizing'),
      presence: read('presence'),
      history: read('history'),
    };
    for (const document of [
      'README.md',
      'docs/benchmarks.md',
      'docs/sessions.md',
      'docs/load-balancers.md',
      'docs/sizing.md',
      'docs/presence.md',
      'docs/history.md',
    ]) {
      const path = join(root, document);
      writeFileSync(path, withTables(readFileSync(path, 'utf8'), tables(measured)));
    }
  }
} catch (error) {
  process.exitCode = reportFailure(error);
}
