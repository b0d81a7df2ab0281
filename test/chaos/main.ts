/** `npm run chaos`: faults by name and at random, judged by the checker of deliveries. */
import { brokerChoice, parseFlags, statusOf, UsageError, wholeNumber } from '@evenkeel/local';
import type { Fault } from '../delivery/run/fault.js';
import { faults, faultsOf } from '../delivery/run/faults.js';
import { inTurn, isGood, type Outcome, perform, table } from '../delivery/run/run.js';
import { playing } from './play.js';
import { type Planned, readSchedule, scheduleOf, scheduleText, shrinkPlays, shrunk } from './schedule.js';

const help = `npm run chaos -- [flags]

Publishers of four manners and clients of six on a mesh of its own, everybody moved to and fro, while things go wrong. Judged
from the log alone, as npm run check:delivery does. Without flags: every fault by itself, a row each.
  --fault NAMES    only these, separated by commas
  --random N       N schedules of several faults at once, from as many seeds
  --seed N         of the first of them (1); without --random that one alone
  --minutes N      for so long: schedules from one seed after another or, with --fault, those faults again and again; what has
                   begun by then is played to its end
  --seconds N      how long a schedule goes on (60)
  --schedule TEXT  this one, as it was printed: name@from+for, in milliseconds, separated by commas
  --no-shrink      a schedule that fails is only printed. Without it, it is played again with less, ${shrinkPlays} times at most, until
                   each of its faults is needed
  --json           prints a JSON object for each run as well, as bench:figures --take chaos takes them
  --list           names the faults
  --brokers N      so many nodes of RabbitMQ as one cluster (1); from 3 on a cluster's faults are among them
  --broker KIND    auto, container or local (auto); what stops the broker's process needs local
The logs are kept in .evenkeel/chaos/. Nothing may be lost without a gap, repeated, out of order, or told in vain; every fault must
show in the log, and everybody be connected in the end. The last line is "N passed, N failed"; exit status 0 only if none failed.
`;

const mostRuns = 1_000;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

interface Run {
  readonly name: string;
  readonly schedule: readonly Planned[];
}

async function main(): Promise<number> {
  const flags = parseFlags(process.argv.slice(2), {
    fault: { type: 'string' },
    random: { type: 'string' },
    seed: { type: 'string' },
    minutes: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    schedule: { type: 'string' },
    'no-shrink': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    brokers: { type: 'string', default: '1' },
    broker: { type: 'string', default: process.env.EVENKEEL_TEST_BROKER || 'auto' },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  if (flags.list) {
    for (const [name, { part, holdMs, on = '' }] of Object.entries(faults))
      process.stdout.write(`${name.padEnd(30)} ${part.padEnd(11)} ${holdMs / 1_000} s ${on}\n`);
    return 0;
  }
  const brokers = wholeNumber('--brokers', flags.brokers, 1, 5);
  if (brokers === 2)
    throw new UsageError('--brokers takes 1, or 3 and more: of two nodes none is a majority.');
  const choice = brokerChoice(flags.broker);
  const those = { choice, brokers };
  const performedOf = ({ name, schedule }: Run) => ({ name, act: playing(schedule), folder: 'chaos' });
  const runs = runsOf(flags, faultsOf(brokers));
  const untilMs = flags.minutes === undefined ? undefined : performance.now() + minutesIn(flags.minutes);
  const outcomes: Outcome[] = [];
  for await (const outcome of inTurn(runs.map(performedOf), those, say)) {
    if (flags.json) process.stdout.write(`${result(outcome, runs[outcomes.length], brokers)}\n`);
    outcomes.push(outcome);
    if (untilMs !== undefined && performance.now() >= untilMs) break;
  }
  for (const [n, outcome] of outcomes.entries()) {
    const { name, schedule } = runs[n] as Run;
    if (isGood(outcome)) continue;
    say(`${name} fails: --schedule ${scheduleText(schedule)}`);
    if (flags['no-shrink'] || schedule.length < 2) continue;
    let turn = 0;
    const fails = async (less: readonly Planned[]) => {
      turn += 1;
      return !isGood(
        await perform(performedOf({ name: `${name}-less-${turn}`, schedule: less }), those, say),
      );
    };
    say(`${name} fails with less: --schedule ${scheduleText(await shrunk(schedule, fails, shrinkPlays))}`);
  }
  return report(outcomes);
}

const minutesIn = (text: string): number => wholeNumber('--minutes', text, 1, 1_440) * 60_000;

/** One line: what was played, and what came of it. */
function result(outcome: Outcome, run: Run | undefined, brokers: number): string {
  const { condition, verdict, failures } = outcome;
  const { faults: _, ...counts } = verdict;
  const schedule = scheduleText(run?.schedule ?? []);
  return JSON.stringify({ name: condition, brokers, isGood: isGood(outcome), schedule, failures, ...counts });
}

function report(outcomes: readonly Outcome[]): number {
  process.stdout.write(`${table(outcomes)}\n`);
  const bad = outcomes.filter((outcome) => !isGood(outcome));
  for (const { condition, log, verdict, failures } of bad) {
    const [first] = verdict.faults;
    const found =
      first === undefined ? [] : [`${first.kind} at ${first.at}: ${first.stream}: ${first.detail}`];
    for (const text of [...failures, ...found]) process.stdout.write(`${condition}: ${text} (${log})\n`);
  }
  process.stdout.write(`${outcomes.length - bad.length} passed, ${bad.length} failed\n`);
  return bad.length === 0 && outcomes.length > 0 ? 0 : 1;
}

interface Wanted {
  readonly fault: string | undefined;
  readonly random: string | undefined;
  readonly seed: string | undefined;
  readonly minutes: string | undefined;
  readonly seconds: string;
  readonly schedule: string | undefined;
}

function runsOf(wanted: Wanted, those: Readonly<Record<string, Fault>>): readonly Run[] {
  const { fault, random, seed, minutes, seconds, schedule } = wanted;
  if (schedule !== undefined) {
    const planned = readSchedule(schedule);
    known(
      planned.map(({ name }) => name),
      faults,
    );
    return [{ name: 'schedule', schedule: planned }];
  }
  if (fault === undefined && (random ?? seed ?? minutes) !== undefined) {
    const first = wholeNumber('--seed', seed ?? '1', 0, 2 ** 32 - 1);
    const lengthMs = wholeNumber('--seconds', seconds, 10, 3_600) * 1_000;
    const unsaid = minutes === undefined ? 1 : mostRuns;
    const count = random === undefined ? unsaid : wholeNumber('--random', random, 1, mostRuns);
    return Array.from({ length: count }, (_, n) => ({
      name: `seed-${first + n}`,
      schedule: scheduleOf(first + n, lengthMs, those),
    }));
  }
  if (random !== undefined || seed !== undefined)
    throw new UsageError('Either --fault, or --random and --seed: a named fault has no seed.');
  const names = fault?.split(',') ?? Object.keys(those);
  known(names, those);
  const rounds = minutes === undefined ? 1 : Math.ceil(mostRuns / names.length);
  return Array.from({ length: rounds }, (_, round) =>
    names.map((name) => ({
      name: round === 0 ? name : `${name}-${round + 1}`,
      schedule: [{ name, atMs: 0, forMs: (faults[name] as Fault).holdMs }],
    })),
  ).flat();
}

function known(names: readonly string[], those: Readonly<Record<string, Fault>>): void {
  const unknown = names.find((name) => those[name] === undefined);
  if (unknown !== undefined)
    throw new UsageError(
      `there is no fault "${unknown}" here: --list names them, and where they can be done.`,
    );
}

process.exit(await statusOf(main));
