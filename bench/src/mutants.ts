/** `npm run bench:mutants`: are the tests as good as they look? Each committed breakage must be caught by the test named for it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  endAllWatched,
  parseFlags,
  stateDir,
  statusOf,
  UsageError,
  watchOver,
  wholeNumber,
} from '@evenkeel/local';
import { linkDependencies } from './checkout.js';
import { type Mutant, readMutant, summary, type Verdict, verdictOf } from './mutants/patch.js';
import { type Played, playUntilCaught, without } from './mutants/random.js';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'bench', 'mutants');
const scratch = join(stateDir, 'mutants');
const help = `npm run bench:mutants -- [flags]

Breaks a copy of the committed tree, one line at a time, and runs the test that must notice. Prints which were caught.
Exit status 0 only if all were.
  --only TEXTS     only patches whose name contains one of these, separated by commas
  --random N       instead of that test: random schedules of npm run chaos, up to N of them, until one fails
  --seed N         of the first of them (1)
  --patch FILE     another patch: git diff's output below a line "# caught-by: COMMAND"
  --minutes N      ends after that long; what is left counts as not caught (20)
  --json           one JSON object on standard output and nothing else; with --random one for each mutant
  --help
`;

const commandTimeoutMs = 5 * 60_000;

interface Run {
  readonly status: number;
  readonly output: string;
}

function run(command: string, args: readonly string[], cwd: string): Run {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: commandTimeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 64 * 1024 * 1024,
  });
  return { status: status ?? 1, output: `${stdout}${stderr}` };
}

function must(command: string, args: readonly string[], cwd: string): string {
  const { status, output } = run(command, args, cwd);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${output}`);
  return output;
}

const compile = (): Run =>
  run(process.execPath, [join(scratch, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'], scratch);

/** A copy of HEAD with dependencies of its own, since links between workspaces are relative. */
function makeScratch(): void {
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(stateDir, { recursive: true });
  watchOver({ kind: 'path', path: scratch });
  must('git', ['clone', '--quiet', '--no-hardlinks', root, scratch], root);
  if (!linkDependencies(root, scratch)) must('npm', ['ci', '--loglevel=error'], scratch);
  const { status, output } = compile();
  if (status !== 0) throw new Error(`The tree as it is does not compile:\n${output}`);
}

const attempt = (command: string): Run => run('sh', ['-c', command], scratch);

/** Breaks the copy and lets `find` look for it; heals the copy. */
function judge<Found>({ path }: Mutant, find: () => Found): Found | Verdict {
  if (run('git', ['apply', path], scratch).status !== 0) return 'does not apply';
  try {
    if (compile().status !== 0) return 'does not compile';
    return find();
  } finally {
    must('git', ['checkout', '--quiet', '--', '.'], scratch);
  }
}

interface Telling {
  readonly endsAtMs: number;
  say(line: string): void;
}

/** By the test that each names. */
function byTests(all: readonly Mutant[], { endsAtMs, say }: Telling): Map<string, Verdict> {
  // A test that fails anyway catches nothing.
  for (const command of new Set(all.map(({ caughtBy }) => caughtBy))) {
    const { status, output } = attempt(command);
    if (status !== 0)
      throw new Error(`Without any breakage this fails already: ${command}\n${output.slice(-4_000)}`);
  }
  const verdicts = new Map<string, Verdict>();
  for (const mutant of all) {
    const verdict =
      performance.now() > endsAtMs ? 'not run' : judge(mutant, () => verdictOf(attempt(mutant.caughtBy)));
    verdicts.set(mutant.name, verdict);
    say(`${verdict.padEnd(16)} ${mutant.name}   (${mutant.caughtBy.replace(/^npx vitest run /, '')})`);
  }
  return verdicts;
}

/** By schedules of chaos, those of these seeds in turn. */
function bySchedules(all: readonly Mutant[], seeds: readonly number[], { endsAtMs, say }: Telling): Played[] {
  const played: Played[] = [];
  for (const mutant of all) {
    const { name } = mutant;
    const isLate = (): boolean => performance.now() > endsAtMs;
    const found = isLate() ? 'not run' : judge(mutant, () => playUntilCaught(seeds, attempt, isLate));
    const one =
      typeof found === 'string' ? { mutant: name, verdict: found, schedules: 0 } : { mutant: name, ...found };
    played.push(one);
    say(
      `${one.verdict.padEnd(16)} ${name}   (${one.seed === undefined ? '' : `seed ${one.seed}, `}${one.schedules} played)`,
    );
  }
  compile();
  // A schedule that fails anyway catches nothing.
  return without(played, attempt, say);
}

function mutants(only: string | undefined, patch: string | undefined): Mutant[] {
  const wanted = only?.split(',') ?? [''];
  const paths =
    patch !== undefined
      ? [resolve(patch)]
      : readdirSync(folder)
          .filter((name) => name.endsWith('.patch') && wanted.some((text) => name.includes(text)))
          .map((name) => join(folder, name));
  if (paths.length === 0) throw new UsageError(`No patch in bench/mutants has "${only}" in its name.`);
  return paths.sort().map((path) => readMutant(path, readFileSync(path, 'utf8')));
}

function seedsOf(random: string, seed: string): number[] {
  const first = wholeNumber('--seed', seed, 0, 2 ** 32 - 1);
  return Array.from({ length: wholeNumber('--random', random, 1, 1_000) }, (_, n) => first + n);
}

async function main(args: readonly string[]): Promise<number> {
  const flags = parseFlags(args, {
    only: { type: 'string' },
    patch: { type: 'string' },
    random: { type: 'string' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  const endsAtMs = performance.now() + wholeNumber('--minutes', flags.minutes, 1, 600) * 60_000;
  const all = mutants(flags.only, flags.patch);
  const say = (line: string): void => {
    if (!flags.json) process.stdout.write(`${line}\n`);
  };
  if (run('git', ['status', '--porcelain', '--untracked-files=no'], root).output !== '')
    say('What is not committed is left out.');
  say(`${all.length} mutants; compiling a copy of the tree …`);
  makeScratch();

  const telling = { endsAtMs, say };
  const seeds = flags.random === undefined ? undefined : seedsOf(flags.random, flags.seed);
  const played = seeds && bySchedules(all, seeds, telling);
  const verdicts = played
    ? new Map(played.map(({ mutant, verdict }) => [mutant, verdict]))
    : byTests(all, telling);
  const { text, isFine } = summary(verdicts);
  if (flags.json && played)
    process.stdout.write(`${played.map((each) => JSON.stringify(each)).join('\n')}\n`);
  else if (flags.json)
    process.stdout.write(
      `${JSON.stringify({ passed: isFine, mutants: Object.fromEntries(verdicts) }, null, 2)}\n`,
    );
  else say(text);
  return isFine ? 0 : 1;
}

const status = await statusOf(() => main(process.argv.slice(2)));
rmSync(scratch, { recursive: true, force: true });
await endAllWatched();
process.exit(status);
