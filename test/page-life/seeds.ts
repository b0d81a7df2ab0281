import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Broker } from '@evenkeel/broker';
import { stateDir } from '@evenkeel/local';
import { createPublisher } from '@evenkeel/publisher';
import { expect, onTestFinished } from 'vitest';
import { BareChromium } from '../support/bare-chromium.js';
import { startTestMesh } from '../support/mesh.js';
import { servePages } from '../support/page-server.js';
import { type Fault, judgePages, type Verdict } from './judge.js';
import type { PagesLog } from './log.js';
import { stepsOf } from './steps.js';
import { type Stage, World } from './world.js';

/** One browser, one mesh without a balancer (nothing moves but what a step moves), one publisher, for the running test. */
export async function startStage(mutant?: string): Promise<Stage> {
  const [browser, origin, mesh] = await Promise.all([
    BareChromium.start(),
    servePages(),
    startTestMesh({ edges: 2, balancer: false, env: { EVENKEEL_HEARTBEAT_MS: '2000' } }),
  ]);
  const publisher = await createPublisher({ amqpUrl: mesh.amqpUrl, name: 'page life', attempts: 5 });
  onTestFinished(() => publisher.close());
  const broker = await Broker.connect({ url: mesh.amqpUrl, name: 'page life', attempts: 5 });
  onTestFinished(() => broker.close());
  return { browser, origin, mesh, publisher, commands: broker.publisher(), ...(mutant && { mutant }) };
}

/** Sequences that run side by side: most of their time is waiting. */
const atOnce = 3;

interface Outcome {
  readonly seed: number;
  readonly verdict: Verdict | undefined;
  readonly error: unknown;
}

/** What the pages of a seed that failed have written down, a line each, in order. */
function keep(seed: number, { entries }: PagesLog): void {
  const lines = [...entries].sort((a, b) => a.at - b.at).map((entry) => JSON.stringify(entry));
  writeFileSync(join(stateDir, 'test-logs', `page-life-${seed}.jsonl`), lines.join('\n'));
}

async function tryOne(stage: Stage, seed: number, count: number): Promise<Outcome> {
  try {
    const log = await World.run(stage, stepsOf(seed, count));
    const verdict = judgePages(log);
    if (verdict.faults.length > 0) keep(seed, log);
    return { seed, verdict, error: undefined };
  } catch (error) {
    return { seed, verdict: undefined, error };
  }
}

export interface Seeds {
  readonly first: number;
  readonly count: number;
  /** Of each sequence. */
  readonly steps: number;
}

/** What was asked for: `EVENKEEL_PAGE_SEED` (and `EVENKEEL_PAGE_STEPS`, a prefix of it) tries that one seed instead. */
function askedFor({ first, count, steps }: Seeds): Seeds {
  const { EVENKEEL_PAGE_SEED: seed, EVENKEEL_PAGE_STEPS: prefix } = process.env;
  return {
    ...(seed ? { first: Number(seed), count: 1 } : { first, count }),
    steps: prefix ? Number(prefix) : steps,
  };
}

export async function runSeeds(stage: Stage, of: Seeds): Promise<Outcome[]> {
  const { first, count, steps } = askedFor(of);
  const seeds = Array.from({ length: count }, (_, i) => first + i);
  const outcomes: Outcome[] = [];
  const next = async (): Promise<void> => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift())
      outcomes.push(await tryOne(stage, seed, steps));
  };
  await Promise.all(Array.from({ length: atOnce }, next));
  return outcomes;
}

const told = ({ rule, client, session, why }: Fault): string =>
  `  ${rule}: ${why} (client ${client}, session ${session})`;

/** @throws AssertionError with each seed that failed, its steps, and how to try them again. */
export async function trySeeds(stage: Stage, of: Seeds): Promise<void> {
  const outcomes = await runSeeds(stage, of);
  const sum = (of: 'events' | 'gaps' | 'again' | 'persisted') =>
    outcomes.reduce((total, { verdict }) => total + (verdict?.[of] ?? 0), 0);
  console.log(
    `${outcomes.length} sequences: ${sum('events')} events handled, ${sum('again')} of them again by the next page; ` +
      `${sum('gaps')} gaps; ${sum('persisted')} times back from the page cache`,
  );
  const failed = outcomes.filter(({ verdict, error }) => error !== undefined || verdict?.faults.length !== 0);
  const reports = failed.map(({ seed, verdict, error }) =>
    [
      `seed ${seed} (EVENKEEL_PAGE_SEED=${seed}; with EVENKEEL_PAGE_STEPS=N only its first N steps):`,
      ...stepsOf(seed, askedFor(of).steps).map((step, i) => `  ${i + 1}. ${JSON.stringify(step)}`),
      ...(error === undefined ? [] : [`  ${String(error)}`]),
      ...(verdict?.faults ?? []).map(told),
    ].join('\n'),
  );
  expect(reports.join('\n\n')).toBe('');
  expect(sum('persisted'), 'pages that came back from the page cache').toBeGreaterThan(0);
}
