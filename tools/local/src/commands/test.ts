import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages } from '../apt.js';
import { findContainerEngine } from '../broker/container.js';
import { compile } from '../compile.js';
import { environment } from '../environment.js';
import { Failure } from '../failure.js';
import { root, stateDir } from '../paths.js';
import {
  brokerChoice,
  parseFlags,
  reportFailure,
  splitPositionals,
  UsageError,
  wholeNumber,
} from './flags.js';
import { countTests, type TestCount } from './test-count.js';

const help = `npm test -- [flags] [FILE-PATTERN…]

  --project NAME        unit, integration or system (all)
  --broker KIND         where the tests' own RabbitMQ comes from: auto, container (insists on one) or
                        local (an installed rabbitmq-server)
  --broker-image IMAGE  for a container (rabbitmq:4-management)
  --brokers N           the tests' own RabbitMQ is a cluster of so many nodes, 3 to 5 (1); those that take brokers of their own
                        take what they need. Each node is an installed rabbitmq-server
  --long                what has a long form, in that form (npm run test:long): model-based tests try
                        10,000 sequences, or as many as EVENKEEL_TEST_RUNS says
  --help

The last line is "N passed, N failed".
`;

/** Needed by the tests that use a browser, clients of other languages, a load generator or Prometheus. */
const packages = [
  'chromium',
  'python3-pika',
  'python3-websockets',
  'python3-aio-pika',
  'amqp-tools',
  'php-cli',
  'php-amqplib',
  'tsung',
  'prometheus',
];

/** What has a long form, and the sequences that each model-based test then tries. */
const longFiles = ['.property.test.ts', '.long.test.ts'];
const longRuns = '10000';

/** `npm test`. Ends the process with 0 only if tests ran and all passed. */
export async function run(args: readonly string[]): Promise<void> {
  const { flagArgs, positionals } = splitPositionals(args, ['--help', '--long']);
  try {
    const flags = parseFlags(flagArgs, {
      project: { type: 'string' },
      broker: { type: 'string', default: 'auto' },
      'broker-image': { type: 'string' },
      brokers: { type: 'string', default: '1' },
      long: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    });
    if (flags.help) {
      process.stdout.write(help);
      return;
    }
    const choice = brokerChoice(flags.broker);
    const brokers = wholeNumber('--brokers', flags.brokers, 1, 5);
    if (brokers === 2) throw new UsageError('--brokers takes 1, or 3 to 5: of two nodes none is a majority.');
    if (brokers > 1 && choice === 'container')
      throw new UsageError('--brokers takes an installed rabbitmq-server: leave out --broker container.');
    if (choice === 'container' && (await findContainerEngine()) === undefined) {
      throw new Failure(
        'no-container-engine',
        '--broker container: no container engine runs here. Start docker or podman, or use --broker local.',
      );
    }
    if (flags.project !== 'unit') {
      await ensurePackages(
        packages,
        'for the tests with a browser, clients of other languages, a load generator and Prometheus',
      );
    }
    await compile('all');
    const env = {
      EVENKEEL_TEST_BROKER: choice,
      EVENKEEL_TEST_BROKER_IMAGE: flags['broker-image'] ?? '',
      EVENKEEL_TEST_BROKERS: String(brokers),
      ...(flags.long && { EVENKEEL_TEST_RUNS: environment().EVENKEEL_TEST_RUNS ?? longRuns }),
    };
    const projects = flags.project === undefined ? [] : ['--project', flags.project];
    const files = flags.long && positionals.length === 0 ? longFiles : positionals;
    const count = await runVitest([...projects, ...files], env);
    if (count.skipped > 0) process.stdout.write(`${count.skipped} skipped\n`);
    process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`);
    process.exitCode = count.failed === 0 && count.passed > 0 ? 0 : 1;
  } catch (error) {
    process.exitCode = reportFailure(error);
    process.stdout.write('0 passed, 1 failed\n');
  }
}

async function runVitest(args: readonly string[], env: Record<string, string>): Promise<TestCount> {
  const results = join(stateDir, `test-results-${process.pid}.json`);
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...args], {
    cwd: root,
    env: { ...environment(), ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  // It ends by itself on a signal from the terminal; one sent to us alone is passed on.
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, passOn);
  const [status] = (await once(child, 'exit')) as [number | null];
  const count = countTests(results, status ?? 1);
  rmSync(results, { force: true });
  return count;
}
