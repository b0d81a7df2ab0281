import { randomBytes } from 'node:crypto';
import { Case } from './case.js';
import { checkClient } from './client/check.js';
import { clientRules } from './client/rules/index.js';
import { MeshUnderTest } from './mesh.js';
import type { Rule } from './rule.js';
import { rules, unchecked } from './rules/index.js';
import { type Outcome, runRules } from './run.js';
import { help, readSettings, type Settings } from './settings.js';

/** What was looked at, and what else is to be said of it. */
interface Report {
  readonly of: Readonly<Record<string, unknown>>;
  readonly outcomes: readonly Outcome[];
  /** Rules that there are. */
  readonly all: number;
  /** Lines for a person. */
  readonly notes: readonly string[];
}

async function main(args: readonly string[]): Promise<number> {
  const settings = readSettings(args);
  if (settings === 'help') {
    process.stdout.write(help);
    return 0;
  }
  const { client } = settings;
  const report = client === undefined ? await lookAtMesh(settings) : await lookAtClient(client, settings);
  return tell(report, settings);
}

async function lookAtMesh(settings: Settings): Promise<Report> {
  const chosen = chosenOf(rules, settings);
  const { gateway, amqpUrl, parallel } = settings;
  const mesh = await MeshUnderTest.connect(gateway, amqpUrl, randomBytes(3).toString('hex'));
  try {
    const outcomes = await runRules(() => new Case(mesh), chosen, parallel, printer(settings));
    return {
      of: { gateway, unchecked },
      outcomes,
      all: rules.length,
      notes: unchecked.map(({ section, text }) => `Not looked at from outside: §${section} ${text}`),
    };
  } finally {
    await mesh.close();
  }
}

async function lookAtClient(client: string, settings: Settings): Promise<Report> {
  const chosen = chosenOf(clientRules, settings);
  const { outcomes, notAsked } = await checkClient(client, chosen, settings.parallel, printer(settings));
  return {
    of: { client, notAsked: notAsked.map(({ id }) => id) },
    outcomes,
    all: clientRules.length - notAsked.length,
    notes: notAsked.map(
      ({ id, section, needs }) =>
        `Not asked, since the driver cannot ${needs?.join(' or ')}: §${section} ${id}`,
    ),
  };
}

function chosenOf<C>(all: readonly Rule<C>[], { only, slow }: Settings): readonly Rule<C>[] {
  const chosen = all.filter(
    ({ id, isSlow }) =>
      (only.length === 0 || only.some((part) => id.includes(part))) && (slow || isSlow !== true),
  );
  if (chosen.length === 0) throw new Error('No rule has such an id (or it needs --slow).');
  return chosen;
}

const printer =
  ({ json }: Settings) =>
  (outcome: Outcome): void => {
    if (!json) process.stdout.write(line(outcome));
  };

function line({ passed, isAdvice, id, section, text, reason, ms }: Outcome): string {
  const verdict = passed ? 'pass' : isAdvice ? 'note' : 'FAIL';
  const why = reason === undefined ? '' : `     ${reason}\n`;
  return `${verdict} §${section} ${id}: ${text} (${ms} ms)\n${why}`;
}

function tell({ of, outcomes, all, notes }: Report, { json }: Settings): number {
  const notRun = all - outcomes.length;
  const failed = outcomes.filter(({ passed, isAdvice }) => !passed && !isAdvice).length;
  const passed = outcomes.length - failed;
  if (json) {
    const result = { ...of, passed, failed, notRun, rules: outcomes };
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  } else {
    if (notRun > 0) process.stdout.write(`${notRun} rules were not run (--slow runs all)\n`);
    for (const note of notes) process.stdout.write(`${note}\n`);
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
  }
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
