import { parseArgs } from 'node:util';
import { simulateCells } from './cells.js';
import { simulate } from './run.js';
import { scenarioNames } from './scenarios.js';
import { playSeeds } from './seeds.js';

const usage = `npm run sim -- --scenario NAME [--nodes N] [--sessions N] [--seed N] [--json]
npm run sim -- --cells N …                 the same in so many cells, each with a balancer, so many nodes and sessions of its own
npm run sim -- --seeds N [--seed FIRST]   random histories, one a seed: crashes, drains, silences, lost and foreign reports, clocks
Scenarios: ${scenarioNames.join(', ')}. Exit status 0 only if all that the scenario promises held.`;

function fail(message: string): never {
  process.stderr.write(`${message}\n${usage}\n`);
  process.exit(2);
}

function whole(text: string, name: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    fail(`--${name} is ${text}; give a whole number of at least ${least}`);
  return value;
}

function read() {
  try {
    return parseArgs({
      options: {
        scenario: { type: 'string', default: 'join' },
        nodes: { type: 'string', default: '100' },
        sessions: { type: 'string', default: '1000000' },
        seed: { type: 'string', default: '1' },
        seeds: { type: 'string' },
        cells: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

const values = read();
if (values.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
if (values.seeds !== undefined) {
  const { failures, text } = playSeeds(whole(values.seed, 'seed', 0), whole(values.seeds, 'seeds', 1));
  for (const failure of failures) process.stderr.write(`${failure}\n`);
  process.stdout.write(`${text}\n`);
  process.exit(failures.length === 0 ? 0 : 1);
}
const scenario =
  scenarioNames.find((name) => name === values.scenario) ?? fail(`there is no scenario ${values.scenario}`);
const sizes = { nodes: whole(values.nodes, 'nodes', 2), sessions: whole(values.sessions, 'sessions', 1) };
const seed = whole(values.seed, 'seed', 0);
const clock = () => performance.now();
if (values.cells !== undefined) {
  const cells = simulateCells(scenario, sizes, { seed, cells: whole(values.cells, 'cells', 1) }, clock);
  for (const failure of cells.failures) process.stderr.write(`${failure}\n`);
  process.stdout.write(values.json ? `${JSON.stringify(cells.result)}\n` : `${cells.text}\n`);
  process.exit(cells.failures.length === 0 ? 0 : 1);
}
const run = simulate(scenario, sizes, seed, clock);
if (values.json) process.stdout.write(`${JSON.stringify(run.result)}\n`);
else {
  process.stdout.write(`${scenario}: ${sizes.nodes} nodes, ${sizes.sessions} sessions, ${run.plans} plans\n`);
  for (const [key, value] of Object.entries(run.result))
    process.stdout.write(`  ${key.padEnd(20)} ${value}\n`);
}
for (const failure of run.failures) process.stderr.write(`${failure} (seed ${seed})\n`);
process.exitCode = run.failures.length === 0 ? 0 : 1;
