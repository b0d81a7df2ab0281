/** `npm run attack`: attacks on a mesh of its own, and what innocent clients feel of them. */

import { setTimeout as sleep } from 'node:timers/promises';
import { brokerChoice, parseFlags, startPrivateBroker, statusOf, UsageError } from '@evenkeel/local';
import type { Attack, Seen } from './attack.js';
import type { Felt } from './innocents.js';
import { Attacker } from './orders.js';
import { attacks } from './rows.js';
import { Stage } from './stage.js';
import { faults, lateness, type Outcome, type Weight } from './verdict.js';
import type { Places } from './world.js';

const help = `npm run attack -- [--only NAMES] [--list] [--untimed] [--broker KIND]

Attacks on a mesh of its own: two edges, a gateway, a balancer, users by JWT, limits by address on. Twenty innocent clients get
events meanwhile, and others come in and go. The attacker is a process at idle priority; each attack also runs against a sink,
which takes the same bytes and does nothing: it shares the machine, so only what is beyond that is the attack's.
A row passes if the attack was refused as documented, innocent clients' event p99 was at most 2 × that of the control and 5 ms, their
longest attach at most 2 × that of the control and 1 s, 98 % of their events came, all of them were let in, none got a gap, no process ended, and none grew by more than the row allows.
  --only NAMES   separated by commas
  --list         names them, and says what came of each at first
  --untimed      how long events took is printed and not judged, and the attacker is not at idle priority: for a machine that
                 does other things
  --broker KIND  auto, local or container (auto)
The last line is "N refused, M not"; exit status 0 only if all were.
`;

/** So many numbers at least, or a p99 is one client's bad luck. */
const shortestMs = 1500;
const calmMs = 300;
/** Code that has hardly run is slow: no row is to be measured by that. */
const warmUpMs = 3_000;
/** What is under way at the end is waited for this long; on a machine that does other things, longer. */
const settleMs = (isTimed: boolean): number => (isTimed ? 2000 : 10_000);
/** A machine that does something else for a moment is no attack: where it was late, the median of so many pairs counts. */
const pairs = 5;

async function run(): Promise<number> {
  const flags = parseFlags(process.argv.slice(2), {
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
    untimed: { type: 'boolean', default: false },
    broker: { type: 'string', default: process.env.EVENKEEL_TEST_BROKER || 'auto' },
    help: { type: 'boolean', default: false },
  });
  if (flags.help || flags.list) {
    const list = attacks.map(({ name, once }) => (once === undefined ? name : `${name}: once ${once}`));
    process.stdout.write(flags.help ? help : `${list.join('\n')}\n`);
    return 0;
  }
  const chosen = choose(flags.only);
  const broker = await startPrivateBroker({ choice: brokerChoice(flags.broker) });
  process.stdout.write(`${broker.description}\n`);
  try {
    const stage = await Stage.start(broker);
    const attacker = new Attacker(stage, flags.untimed ? 'normal' : 'idle');
    try {
      await attacker.start();
      await sleep(warmUpMs);
      return await runAll(chosen, stage, attacker, !flags.untimed);
    } finally {
      attacker.stop();
      await stage.stop();
    }
  } finally {
    await broker.stop();
  }
}

function choose(only: string | undefined): readonly Attack[] {
  if (only === undefined) return attacks;
  const names = only.split(',');
  const unknown = names.find((name) => !attacks.some((each) => each.name === name));
  if (unknown !== undefined) throw new UsageError(`--only: there is no "${unknown}". --list names them.`);
  return attacks.filter(({ name }) => names.includes(name));
}

async function runAll(
  chosen: readonly Attack[],
  stage: Stage,
  attacker: Attacker,
  isTimed: boolean,
): Promise<number> {
  let refused = 0;
  for (const attack of chosen) {
    const outcomes = await outcomesOf(attack, stage, attacker, isTimed);
    const outcome = median(outcomes);
    const found = faults(outcome, isTimed);
    if (found.length === 0) refused++;
    process.stdout.write(rowOf(attack, outcome, found, outcomes.length));
  }
  process.stdout.write(`${refused} refused, ${chosen.length - refused} not\n`);
  return refused === chosen.length ? 0 : 1;
}

/** One pair of runs; where only the time was too long, as many as decide it. */
async function outcomesOf(
  attack: Attack,
  stage: Stage,
  attacker: Attacker,
  isTimed: boolean,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  try {
    if (attack.needs !== undefined) await stage.need(attack.needs);
    if (attack.needs !== undefined && attack.isFresh) await stage.restart(attack.needs);
  } catch (error) {
    const none = await stage.innocents.measure(0)();
    const answered = error instanceof Error ? error.message : String(error);
    const seen = { sent: `${attack.needs} was to start`, answered, isRefused: false };
    return [{ seen, control: none, felt: none, weights: [], ended: [], maxGrowthMib: 0 }];
  }
  do {
    outcomes.push(await pairOf(attack, stage, attacker, isTimed));
  } while (isTimed && !isDecided(outcomes) && onlyTime(outcomes));
  return outcomes;
}

/** Whether the first was in time, or more than half of all are on one side already. */
const isDecided = (outcomes: readonly Outcome[]): boolean => {
  const late = outcomes.filter((each) => lateness(each) > 1).length;
  return (late === 0 && outcomes.length === 1) || Math.max(late, outcomes.length - late) > pairs / 2;
};

const onlyTime = (outcomes: readonly Outcome[]): boolean =>
  outcomes.every((each) => faults(each, false).length === 0);

async function pairOf(attack: Attack, stage: Stage, attacker: Attacker, isTimed: boolean): Promise<Outcome> {
  const once = async (
    places: Places | undefined,
    leastMs: number,
  ): Promise<{ seen: Seen; felt: Felt; weights: Weight[]; tookMs: number }> => {
    await sleep(calmMs);
    const beganAt = performance.now();
    const felt = stage.innocents.measure(settleMs(isTimed));
    const weights = stage.weigh();
    const seen =
      places === undefined
        ? { sent: '', answered: '', isRefused: true }
        : await attacker.attack({ attack: attack.name, places });
    await sleep(Math.max(0, leastMs - (performance.now() - beganAt)));
    const tookMs = performance.now() - beganAt;
    return { seen, felt: await felt(), weights: weights(), tookMs };
  };
  const { seen, felt, weights, tookMs } = await once(stage.places, shortestMs);
  // As long as the attack, or what happens to the machine now and then is seen in the longer of the two alone.
  const control = await once(attack.control === 'sink' ? stage.sinkPlaces : undefined, tookMs);
  const { maxGrowthMib = 100 } = attack;
  return { seen, control: control.felt, felt, weights, ended: stage.takeEnded(), maxGrowthMib };
}

/** Of what was late, the middle one; of anything else the first that failed. */
function median(outcomes: readonly Outcome[]): Outcome {
  const sorted = outcomes.toSorted((a, b) => lateness(a) - lateness(b));
  const worst = outcomes.find((each) => faults(each, false).length > 0);
  const middle = worst ?? sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('there is no outcome');
  return middle;
}

function rowOf(attack: Attack, outcome: Outcome, found: readonly string[], tried: number): string {
  const { seen, control, felt, weights } = outcome;
  const ms = (value: number): string => value.toFixed(1);
  const changed = weights
    .map(
      ({ name, beforeMib, peakMib, afterMib }) =>
        `${name} ${[beforeMib, peakMib, afterMib].map(Math.round).join('/')}`,
    )
    .join(', ');
  const lines = [
    `${found.length === 0 ? 'refused' : 'NOT    '}  ${attack.name}${tried > 1 ? ` (median of ${tried})` : ''}`,
    `sent      ${seen.sent}`,
    `answered  ${seen.answered}`,
    `events    p99 ${ms(felt.p99Ms)} ms (${felt.events} of ${felt.published}), ${attack.control} ${ms(control.p99Ms)} ms (${control.events} of ${control.published}); ` +
      `attach ${ms(felt.attachP50Ms)} to ${ms(felt.attachMaxMs)} ms (${felt.attaches} of ${felt.begun}), ` +
      `${attack.control} ${ms(control.attachP50Ms)} to ${ms(control.attachMaxMs)} ms (${control.attaches} of ${control.begun})`,
    `MiB       ${changed} (before/peak/after)`,
    ...found.map((each) => `fault     ${each}`),
  ];
  return `${lines.join('\n         ')}\n`;
}

process.exit(await statusOf(run));
