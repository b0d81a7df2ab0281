import { readFileSync } from 'node:fs';
import {
  brokerUsers,
  copyDefinitions,
  definitionsInContainer,
  freePort,
  type PrivateBroker,
  startContainerBroker,
  untilBrokerAnswers,
  urlOfUser,
  watchOver,
} from '@evenkeel/local';
import { GenericContainer, type StartedTestContainer } from 'testcontainers';

/** Runs the broker with testcontainers where the engine is docker, else with the engine's commands. */
export async function runInTestcontainer(engine: string, image: string): Promise<PrivateBroker> {
  if (engine !== 'docker') return startContainerBroker(engine, image);
  // Its reaper is one more image to pull; our guard removes the container when this process dies.
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';
  const port = await freePort();
  const users = brokerUsers();
  const files: { content: string; target: string; mode: number }[] = [];
  await copyDefinitions(users, async (from, target) => {
    files.push({ content: readFileSync(from, 'utf8'), target, mode: 0o644 });
  });
  const container = await new GenericContainer(image)
    .withCopyContentToContainer(files)
    .withExposedPorts({ container: 5672, host: port })
    .withStartupTimeout(60_000)
    .start();
  const name = container.getId();
  const release = watchOver({ kind: 'container', engine, name });
  const amqpUrl = `amqp://guest:guest@127.0.0.1:${port}`;
  const version = await untilBrokerAnswers(engine, name, amqpUrl);
  let end: (how: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  return {
    kind: 'container',
    amqpUrl,
    users,
    urlFor: (user) => urlOfUser(amqpUrl, user, users.passwordOf(user)),
    async addUser(user) {
      users.add(user);
      await copyDefinitions(users, async (from, target) => {
        const content = readFileSync(from, 'utf8');
        await container.copyContentToContainer([{ content, target, mode: 0o644 }]);
      });
      await rabbitmqctl(container, ['import_definitions', definitionsInContainer]);
    },
    version,
    description: `RabbitMQ ${version} in a test container (${image})`,
    pid: undefined,
    ctlCommand: { command: engine, args: ['exec', '-i', name, 'rabbitmqctl', '--quiet'], env: {} },
    ctl: (args) => rabbitmqctl(container, args),
    ended: () => ended,
    async restart() {
      await container.restart({ timeout: 3000 });
      await untilBrokerAnswers(engine, name, amqpUrl);
    },
    async stop() {
      await container.stop({ timeout: 0 });
      release();
      end('stopped');
    },
  };
}

async function rabbitmqctl(container: StartedTestContainer, args: readonly string[]): Promise<string> {
  const result = await container.exec(['rabbitmqctl', '--quiet', ...args]);
  if (result.exitCode === 0) return result.stdout;
  throw new Error(`rabbitmqctl ${args.join(' ')}: ${result.output}`);
}
