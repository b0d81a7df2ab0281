import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateDir } from '@evenkeel/local';
import { judge, type Verdict } from '../judge/judge.js';
import { type Act, conditions } from './conditions.js';
import { Recorder } from './recorder.js';
import { type BrokerFlags, maxLength, requestTimeoutMs, Stage } from './stage.js';

export interface Outcome {
  readonly condition: string;
  readonly log: string;
  readonly verdict: Verdict;
  /** What else did not hold, in words. */
  readonly failures: readonly string[];
}

const beforeMs = 4000;
const afterMs = 3000;

/** Something that is done to a mesh under traffic. */
export interface Performance {
  readonly name: string;
  readonly act: Act;
  /** Where the logs are kept, in the state folder. */
  readonly folder: string;
}

/** Everybody together, and one condition. */
export const conditionOf = (name: string): Performance => ({
  name,
  act: conditions[name] as Act,
  folder: 'delivery',
});

/** A stage that is set for one performance. */
interface Ready {
  readonly stage: Stage;
  readonly recorder: Recorder;
}

async function prepare({ name, folder }: Performance, flags: BrokerFlags): Promise<Ready> {
  const recorder = new Recorder(logOf({ name, folder }));
  return { recorder, stage: await Stage.set(join(folder, name), recorder, flags) };
}

const logOf = ({ name, folder }: Pick<Performance, 'name' | 'folder'>): string =>
  join(stateDir, folder, `${name}.jsonl`);

/** Of one of several performances. */
interface Turn {
  /** What was made ready for it. */
  readonly ready?: Promise<Ready> | undefined;
  /** All has been done to the mesh, which has little to do from now on. */
  onDone?(): void;
}

/** One after the other; the stage of each is set while the one before only waits for its last events. */
export async function* inTurn(
  all: readonly Performance[],
  flags: BrokerFlags,
  say: (text: string) => void,
): AsyncGenerator<Outcome> {
  const coming: Promise<Ready>[] = [];
  try {
    for (const [n, performed] of all.entries()) {
      const ready = coming.pop();
      const next = all[n + 1];
      const onDone = (): void => {
        if (next) coming.push(prepare(next, flags));
        // Told when its turn comes.
        coming[0]?.catch(() => undefined);
      };
      yield await perform(performed, flags, say, { ready, onDone });
    }
  } finally {
    // Nobody plays on it any more.
    for (const ready of coming) await ready.then(strike, () => undefined);
  }
}

async function strike({ stage, recorder }: Ready): Promise<void> {
  await stage.strike();
  await recorder.close();
}

/** Everybody together, and what is done to them; judged from the log. */
export async function perform(
  performed: Performance,
  flags: BrokerFlags,
  say: (text: string) => void,
  { ready = prepare(performed, flags), onDone }: Turn = {},
): Promise<Outcome> {
  const { name, act } = performed;
  const log = logOf(performed);
  const failures: string[] = [];
  const { stage, recorder } = await ready;
  const beganAt = performance.now();
  try {
    const broker = stage.broker.version;
    recorder.add({ kind: 'run', condition: name, broker, requestTimeoutMs, maxLength });
    await stage.play();
    await sleep(beforeMs);
    recorder.add({ kind: 'condition', name, phase: 'begin' });
    const detail = await act(stage);
    recorder.add({ kind: 'condition', name, phase: 'end' });
    if (detail !== undefined) recorder.add({ kind: 'condition', name, phase: 'shown', detail });
    await sleep(afterMs);
    onDone?.();
    await stage.settle();
    failures.push(...stage.absent);
    say(
      `${name}: ${detail ?? 'not shown'}; ${Math.round((performance.now() - beganAt) / 1000)} s, log ${log}`,
    );
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
    say(`${name}: ${failures.at(-1)}`);
  } finally {
    await strike({ stage, recorder });
  }
  const lines = recorder.lines.toSorted((a, b) => a.at - b.at);
  return { condition: name, log, verdict: judge({ lines, malformed: [] }), failures };
}

const columns = [
  'published',
  'degraded',
  'owed',
  'delivered',
  'asked',
  'answered',
  'missing',
  'undelivered',
  'gaps',
  'listedGaps',
  'lost',
  'lateGaps',
  'repeated',
  'reordered',
  'falseGaps',
  'falseGapsWithoutLoss',
  'foreign',
  'early',
] as const;

/** A row for each condition. */
export function table(outcomes: readonly Outcome[]): string {
  const names = {
    published: 'published',
    degraded: 'seconds degraded',
    owed: 'owed',
    delivered: 'delivered',
    asked: 'asked',
    answered: 'answered',
    missing: 'events missing',
    undelivered: 'at mesh.undelivered',
    gaps: 'gaps',
    listedGaps: 'in vain, listed',
    lost: 'lost without gap',
    lateGaps: 'gap too late',
    repeated: 'repeated',
    reordered: 'reordered',
    falseGaps: 'false gaps',
    falseGapsWithoutLoss: 'where nothing was lost',
    foreign: 'foreign',
    early: 'acknowledged early',
  };
  const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [
    row(['condition', 'load held', ...columns.map((each) => names[each])]),
    row(['---', '---', ...columns.map(() => '---')]),
    ...outcomes.map(({ condition, verdict }) =>
      row([condition, percent(verdict.loadHeld), ...columns.map((each) => verdict[each])]),
    ),
  ].join('\n');
}

const percent = (part: number | undefined): string =>
  part === undefined ? '' : `${Math.round(part * 100)} %`;

/** Where something was lost and told, a gap too many is counted, and no fault. */
export function isGood({ verdict, failures }: Outcome): boolean {
  const { ok, notShown, malformed, falseGapsWithoutLoss } = verdict;
  const isOnlyTooMuch = faultColumns.every((each) => verdict[each] === 0) && falseGapsWithoutLoss === 0;
  const isWhole = failures.length === 0 && notShown.length === 0 && malformed.length === 0;
  return isWhole && (ok || isOnlyTooMuch);
}

const faultColumns = ['lost', 'lateGaps', 'repeated', 'reordered', 'foreign', 'early'] as const;
