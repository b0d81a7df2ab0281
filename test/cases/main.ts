/** `npm run cases`: small inputs that once went wrong, each for a whole kind of fault. */

import { join } from 'node:path';
import {
  brokerChoice,
  ensurePackages,
  type PrivateBroker,
  parseFlags,
  startMesh,
  startPrivateBroker,
  stateDir,
  statusOf,
  UsageError,
} from '@evenkeel/local';
import { Amqp } from './amqp.js';
import { balancingCases } from './balancing.js';
import type { Case, Scene } from './case.js';
import { clientHandlerCases } from './client-handlers.js';

import { clientLifeCases } from './client-life.js';

import { clientPageCases } from './client-pages.js';

import { foreignCases } from './foreign.js';
import { identityCases } from './identity.js';
import { lossCases } from './loss.js';
import { sizeCases } from './sizes.js';

const cases: readonly Case[] = [
  ...balancingCases,
  ...foreignCases,
  ...identityCases,
  ...sizeCases,
  ...lossCases,
  ...clientHandlerCases,
  ...clientLifeCases,
  ...clientPageCases,
];

const help = `npm run cases -- [--broker KIND] [--only NAMES]

Small inputs that once went wrong, each for a whole kind of fault, on a mesh of two edges; a line for each.
  --broker KIND         auto, local, container, or 4: RabbitMQ 4 in a container (auto, or EVENKEEL_TEST_BROKER)
  --broker-image IMAGE  for a container
  --only NAMES          separated by commas: ${cases.map(({ name }) => name).join(', ')}
The last line is "N passed, N failed"; exit status 0 only if all passed.
`;

const lifetimeMs = 8_000;
const caseTimeoutMs = 120_000;

async function run(): Promise<number> {
  const flags = parseFlags(process.argv.slice(2), {
    broker: { type: 'string', default: process.env.EVENKEEL_TEST_BROKER || 'auto' },
    'broker-image': { type: 'string' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  const image = flags['broker-image'] ?? process.env.EVENKEEL_TEST_BROKER_IMAGE;
  const choice = brokerChoice(flags.broker === '4' ? 'container' : flags.broker);
  const chosen = choose(flags.only);
  await ensurePackages(['python3-pika'], 'for what other AMQP clients send');
  const broker = await startPrivateBroker({ choice, ...(image ? { image } : {}) });
  process.stdout.write(`${broker.description}\n`);
  try {
    return await runOn(broker, chosen);
  } finally {
    await broker.stop();
  }
}

function choose(only: string | undefined): readonly Case[] {
  if (only === undefined) return cases;
  const names = only.split(',');
  const unknown = names.find((name) => !cases.some((each) => each.name === name));
  if (unknown !== undefined) throw new UsageError(`--only: there is no "${unknown}". --help lists them.`);
  return cases.filter(({ name }) => names.includes(name));
}

async function runOn(broker: PrivateBroker, chosen: readonly Case[]): Promise<number> {
  const { amqpUrl, urlFor } = broker;
  const env = { EVENKEEL_SESSION_LIFETIME_MS: String(lifetimeMs), EVENKEEL_HEARTBEAT_MS: '2000' };
  const mesh = await startMesh({ edges: 2, amqpUrl, urlFor, env, logDir: join(stateDir, 'cases') });
  const amqp = new Amqp(amqpUrl);
  const scene: Scene = { broker, mesh, gateway: mesh.gatewayUrl, amqp, lifetimeMs };
  let failed = 0;
  try {
    for (const each of chosen) {
      const { isRight, saw } = await outcomeOf(each, scene);
      if (!isRight) failed++;
      process.stdout.write(`${isRight ? 'PASS' : 'FAIL'}  ${each.name}: ${each.right}\n      ${saw}\n`);
    }
  } finally {
    amqp.close();
    await mesh.stop();
  }
  process.stdout.write(`${chosen.length - failed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

async function outcomeOf({ run }: Case, scene: Scene): Promise<{ isRight: boolean; saw: string }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done in ${caseTimeoutMs / 1000} s`)), caseTimeoutMs);
  });
  try {
    return await Promise.race([run(scene), late]);
  } catch (error) {
    return { isRight: false, saw: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

process.exit(await statusOf(run));
