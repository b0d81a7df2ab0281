/** `npm run soak`: a mesh under traffic and faults for long, and whether anything grows. */
import { setTimeout as sleep } from 'node:timers/promises';
import { brokerChoice, parseFlags, statusOf, wholeNumber } from '@evenkeel/local';
import { playing } from '../chaos/play.js';
import { scheduleOf } from '../chaos/schedule.js';
import type { Act } from '../delivery/run/conditions.js';
import { isGood, perform, table } from '../delivery/run/run.js';
import { ways } from '../delivery/run/ways.js';
import { Counts, kinds } from './counts.js';
import { Load, type LoadOutcome } from './load.js';
import { slopeOf } from './slope.js';

const help = `npm run soak -- --minutes N [flags]

Publishers of four manners and clients of six on a mesh of its own for long, and 1,000 numbered events a second to 200 more: clients join
and leave, sleep, are cut and come back, everybody is moved to and fro, and the ways to the broker fail now and then. Memory and open files of each process, and the broker's queues, bindings,
channels and connections are sampled; what grows by more than noise is a failure. Deliveries are judged as by npm run check:delivery.
  --minutes N     how long (60); at least 2
  --rate N        events a second besides, to clients of their own (1,000); 0: none
  --clients N     so many (200)
  --seed N        of the faults (1)
  --json          prints a JSON object as well, as bench:figures --take soak takes it
  --broker KIND   auto, container or local (auto)
The last line is "N passed, N failed".
`;

/** How often it is sampled: so many samples a run, but no more often than every 5 s. */
const samples = 120;
const shortestMs = 5_000;
/** Of the clients whose frames are judged one leaves, and another comes. */
const leaveEveryMs = 20_000;

async function main(): Promise<number> {
  const flags = parseFlags(process.argv.slice(2), {
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string', default: '1000' },
    clients: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    broker: { type: 'string', default: process.env.EVENKEEL_TEST_BROKER || 'auto' },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  const lengthMs = wholeNumber('--minutes', flags.minutes, 2, 24 * 60) * 60_000;
  const seed = wholeNumber('--seed', flags.seed, 0, 2 ** 32 - 1);
  const choice = brokerChoice(flags.broker);
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const rate = wholeNumber('--rate', flags.rate, 0, 100_000);
  const clients = wholeNumber('--clients', flags.clients, 1, 10_000);
  let counts: Counts | undefined;
  let loaded: LoadOutcome | undefined;
  // What ends a process would begin its series anew.
  const faults = playing(scheduleOf(seed, lengthMs, ways, 30_000));
  const act: Act = async (stage) => {
    const counting = new Counts(stage);
    counts = counting;
    const endsAtMs = performance.now() + lengthMs;
    const everyMs = Math.max(shortestMs, lengthMs / samples);
    const load = rate > 0 ? await Load.start(stage, clients, rate) : undefined;
    const joinedAndLeft = (async () => {
      for (let n = 0; performance.now() < endsAtMs - leaveEveryMs; n++) {
        await sleep(leaveEveryMs);
        await stage.replace(n);
      }
    })();
    const sampled = (async () => {
      while (performance.now() < endsAtMs) {
        await counting.sample();
        await sleep(everyMs);
      }
    })();
    try {
      const [detail] = await Promise.all([faults(stage), sampled, joinedAndLeft]);
      loaded = await load?.finish();
      return `${flags.minutes} min: ${detail}`;
    } finally {
      await load?.stop();
    }
  };
  const outcome = await perform({ name: 'soak', act, folder: 'soak' }, { choice }, say);
  process.stdout.write(
    `${table([outcome])}\n\n| of | what | at first | in the end | growth | noise | |\n|---|---|---|---|---|---|---|\n`,
  );
  const rounded = (value: number): string => value.toFixed(1);
  let failed = isGood(outcome) ? 0 : 1;
  const slopes = (counts?.series ?? []).map(({ of, kind, samples: all }) => ({
    of,
    kind,
    ...slopeOf(all, kinds[kind].allowed),
  }));
  for (const { of, kind, first, last, growth, noise, isGrowing } of slopes) {
    if (isGrowing) failed += 1;
    const figures = [first, last, growth, noise].map(rounded).join(' | ');
    process.stdout.write(
      `| ${of} | ${kind} ${kinds[kind].unit} | ${figures} | ${isGrowing ? 'GROWS' : 'level'} |\n`,
    );
  }
  if (loaded) {
    const { published, perSecond, delivered, covered, moves, unconfirmed, firstFailure } = loaded;
    process.stdout.write(
      `\n${published} numbered events (${Math.round(perSecond)} a second), ${delivered} delivered, ${covered} told as missing, ${moves} moves, ${unconfirmed} not confirmed${firstFailure === undefined ? '' : ` (${firstFailure})`}\n`,
    );
  }
  if (loaded && loaded.failures.length > 0) failed += 1;
  for (const text of [
    ...(loaded?.failures ?? []),
    ...outcome.failures,
    ...outcome.verdict.faults.slice(0, 5).map(({ kind, detail }) => `${kind}: ${detail}`),
  ])
    process.stdout.write(`${text}\n`);
  if (flags.json) {
    const { faults: _, ...verdict } = outcome.verdict;
    process.stdout.write(
      `${JSON.stringify({ seed, minutes: lengthMs / 60_000, failed, load: loaded, verdict, slopes })}\n`,
    );
  }
  const all = 1 + (loaded ? 1 : 0) + (counts?.series.length ?? 0);
  process.stdout.write(`${all - failed} passed, ${failed} failed\n`);
  return failed === 0 && all > 1 ? 0 : 1;
}

process.exit(await statusOf(main));
