/** `npm run fuzz`: gives the parsers of the mesh what nobody would write, and keeps what breaks them. */
import { Worker } from 'node:worker_threads';
import { parseFlags, statusOf, UsageError, wholeNumber } from '@evenkeel/local';
import { hashOf, keep, type Seed } from './corpus.js';
import type { Fault } from './faults.js';
import type { Found } from './fuzz.js';
import type { Order } from './order.js';
import type { Target } from './target.js';
import { targets } from './targets.js';
import { sharedFor, watched } from './watch.js';

const help = `npm run fuzz -- [flags]

Inputs are made of those in test/fuzz/corpus, by what they say and by their bytes, and given to the parsers that the mesh has for what
strangers send. An input that reaches code that none had reached is made use of from then on.
  --target NAMES  only these, separated by commas
  --list          names them
  --minutes M     for each of them (1)
  --inputs N      so many for each at most
  --seed N        the same seed makes the same inputs of the same corpus (1)
  --keep          what has reached something new is written to the corpus, to be committed
A fault is shrunk, printed, and written to the corpus as crash-<hash>: commit it with what mends it. Exit status 0 only without one.
`;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(): Promise<number> {
  const flags = parseFlags(process.argv.slice(2), {
    target: { type: 'string' },
    list: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '1' },
    inputs: { type: 'string' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (flags.help || flags.list) {
    const list = targets.map(({ name, about }) => `${name.padEnd(widest)}  ${about}\n`).join('');
    process.stdout.write(flags.help ? help : list);
    return 0;
  }
  const ms = wholeNumber('--minutes', flags.minutes, 1, 10_000) * 60_000;
  const inputs = flags.inputs === undefined ? Infinity : wholeNumber('--inputs', flags.inputs, 1, 1e12);
  const seed = wholeNumber('--seed', flags.seed, 0, 2 ** 32 - 1);
  const rows: string[][] = [['target', 'inputs', 'corpus', 'new', 'code', 'new', 'faults']];
  let faults = 0;
  for (const target of chosen(flags.target)) {
    const found = await fuzzed(target, { seed, ms, inputs });
    faults += found.faults.length;
    for (const fault of found.faults) tell(target, fault);
    if (flags.keep) for (const { name, input } of found.fresh) keep(target.name, name, input);
    rows.push(rowOf(target, found));
    say(`${target.name}: ${found.inputs} inputs, ${found.faults.length} faults`);
  }
  process.stdout.write(tableOf(rows));
  process.stdout.write(`${faults} faults; seed ${seed}\n`);
  return faults === 0 ? 0 : 1;
}

/** A thread has four times the stack of a process unless told: what would overflow that of a service is to overflow here. */
const resourceLimits = { stackSizeMb: 1 };

const widest = Math.max(...targets.map(({ name }) => name.length));

function chosen(names: string | undefined): readonly Target[] {
  if (names === undefined) return targets;
  return names.split(',').map((name) => {
    const target = targets.find((each) => each.name === name);
    if (target === undefined) throw new UsageError(`--target: there is no "${name}". --list names them.`);
    return target;
  });
}

async function fuzzed(
  { name, maxBytes }: Target,
  order: Pick<Order, 'seed' | 'ms' | 'inputs'>,
): Promise<Found> {
  const shared = sharedFor(maxBytes);
  const workerData: Order = { ...order, target: name, shared };
  const ended = await watched<Found>(
    new Worker(new URL('./worker.js', import.meta.url), { workerData, resourceLimits }),
    shared,
  );
  if (ended.is === 'done') {
    const { fresh, faults, ...found } = ended.answer;
    // From another thread bytes come as an array of them.
    const whole = <T extends Seed | Fault>(each: T): T => ({ ...each, input: Buffer.from(each.input) });
    return { ...found, fresh: fresh.map(whole), faults: faults.map(whole) };
  }
  const key = ended.is === 'hung' ? 'hangs' : 'ends its thread';
  const fault: Fault = { key, message: `${key}: ${ended.why}`, input: ended.input };
  return { inputs: 0, corpus: 0, fresh: [], reachedBefore: 0, reached: 0, faults: [fault] };
}

const longestShown = 2_000;

function tell(target: Target, { message, input }: Fault): void {
  const path = keep(target.name, `crash-${hashOf(input)}`, input);
  const shown = JSON.stringify(input.toString('utf8')).slice(0, longestShown);
  say(`\n${target.name}: ${message}\ninput (${input.length} bytes, ${path}): ${shown}\n`);
}

function rowOf({ name }: Target, found: Found): string[] {
  const { inputs, corpus, fresh, reachedBefore, reached, faults } = found;
  return [
    name,
    ...[inputs, corpus, fresh.length, reached, reached - reachedBefore, faults.length].map(String),
  ];
}

function tableOf(rows: readonly string[][]): string {
  const widths = rows[0]?.map((_, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]) =>
    row.map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0))).join('  ');
  return rows.map((row) => `${line(row)}\n`).join('');
}

process.exit(await statusOf(main));
