import { randomBytes } from 'node:crypto';
import { MeshUnderTest } from './mesh.js';
import { rules, unchecked } from './rules/index.js';
import { type Outcome, runRules } from './run.js';
import { help, readSettings, type Settings } from './settings.js';

async function main(args: readonly string[]): Promise<number> {
  const settings = readSettings(args);
  if (settings === 'help') {
    process.stdout.write(help);
    return 0;
  }
  const { only } = settings;
  const chosen = rules.filter(
    ({ id, isSlow }) =>
      (only.length === 0 || only.some((part) => id.includes(part))) && (settings.slow || isSlow !== true),
  );
  if (chosen.length === 0) throw new Error('No rule has such an id (or it needs --slow).');
  const mesh = await MeshUnderTest.connect(
    settings.gateway,
    settings.amqpUrl,
    randomBytes(3).toString('hex'),
  );
  try {
    const print = (outcome: Outcome) => settings.json || process.stdout.write(line(outcome));
    const outcomes = await runRules(mesh, chosen, settings.parallel, print);
    return report(outcomes, settings);
  } finally {
    await mesh.close();
  }
}

function line({ passed, id, section, text, reason, ms }: Outcome): string {
  const verdict = passed ? 'pass' : 'FAIL';
  const why = reason === undefined ? '' : `     ${reason}\n`;
  return `${verdict} §${section} ${id}: ${text} (${ms} ms)\n${why}`;
}

function report(outcomes: readonly Outcome[], settings: Settings): number {
  const failed = outcomes.filter(({ passed }) => !passed).length;
  const passed = outcomes.length - failed;
  const left = rules.length - outcomes.length;
  if (settings.json) {
    const result = { gateway: settings.gateway, passed, failed, notRun: left, unchecked, rules: outcomes };
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  } else {
    if (left > 0) process.stdout.write(`${left} rules were not run (--slow runs all)\n`);
    for (const { section, text } of unchecked)
      process.stdout.write(`Not looked at from outside: §${section} ${text}\n`);
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
