/** `npm run check:delivery`: what was published, what arrived, and whether what did not was told. */
import { readFileSync } from 'node:fs';
import { brokerChoice, parseFlags, statusOf, UsageError } from '@evenkeel/local';
import { judge, type Verdict } from './judge/judge.js';
import { readLog } from './log.js';
import { conditions } from './run/conditions.js';
import { conditionOf, inTurn, isGood, type Outcome, table } from './run/run.js';

const help = `npm run check:delivery -- [--condition NAME] [--broker KIND]
npm run check:delivery -- --judge FILE

Publishers of four manners and clients of six on a mesh of its own, in each of nine conditions; a table. Nothing may be lost
without a gap, repeated, out of order, or told in vain. The logs are kept in .evenkeel/delivery/.
  --condition NAME      only this one: ${Object.keys(conditions).join(', ')}
  --broker KIND         auto, container or local; its default and its image are those of npm test
  --broker-image IMAGE  for a container
  --judge FILE          judges a log (docs/delivery-log.md); the verdict is JSON on standard output
Exit status 0 only if all was well.
`;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function run(): Promise<number> {
  const flags = parseFlags(process.argv.slice(2), {
    judge: { type: 'string' },
    condition: { type: 'string' },
    broker: { type: 'string', default: process.env.EVENKEEL_TEST_BROKER || 'auto' },
    'broker-image': { type: 'string' },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  if (flags.judge !== undefined) return judgeFile(flags.judge);
  const names = flags.condition === undefined ? Object.keys(conditions) : [flags.condition];
  const unknown = names.find((name) => conditions[name] === undefined);
  if (unknown !== undefined) {
    throw new UsageError(`--condition takes one of ${Object.keys(conditions).join(', ')}, not "${unknown}".`);
  }
  const image = flags['broker-image'] ?? process.env.EVENKEEL_TEST_BROKER_IMAGE;
  const choice = brokerChoice(flags.broker);
  const outcomes: Outcome[] = [];
  const flagsOfBroker = { choice, ...(image ? { image } : {}) };
  for await (const outcome of inTurn(names.map(conditionOf), flagsOfBroker, say)) outcomes.push(outcome);
  process.stdout.write(`${table(outcomes)}\n`);
  for (const { condition, verdict, failures } of outcomes) {
    for (const text of [...failures, ...verdict.notShown.map((each) => `${each} was not shown`)]) {
      process.stdout.write(`${condition}: ${text}\n`);
    }
    for (const [what, { count, example }] of kindsOf(verdict)) {
      process.stdout.write(`${condition}: ${count} × ${what}, first ${example}\n`);
    }
  }
  const good = outcomes.filter(isGood).length;
  process.stdout.write(`${good} passed, ${outcomes.length - good} failed\n`);
  return good === outcomes.length ? 0 : 1;
}

/** The faults of a verdict, counted by what they are. */
function kindsOf({ faults }: Verdict): Map<string, { count: number; example: string }> {
  const kinds = new Map<string, { count: number; example: string }>();
  for (const { kind, stream, at, detail } of faults) {
    const of = stream.startsWith('topic') ? 'a topic' : 'events';
    const what = `${kind} of ${of}${kind === 'false-gap' ? ` (${detail.split(' ')[0]})` : ''}`;
    const before = kinds.get(what) ?? { count: 0, example: `at ${at}: ${stream}: ${detail}` };
    kinds.set(what, { ...before, count: before.count + 1 });
  }
  return kinds;
}

function judgeFile(path: string): number {
  const verdict = judge(readLog(readFileSync(path, 'utf8')));
  process.stdout.write(`${JSON.stringify(verdict, null, 2)}\n`);
  return verdict.ok ? 0 : 1;
}

process.exit(await statusOf(run));
