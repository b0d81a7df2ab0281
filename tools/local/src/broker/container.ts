import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runToEnd } from '../child.js';
import { Failure } from '../failure.js';
import { watchOver } from '../guard.js';
import { freshDir } from '../paths.js';
import { freePort, portOr } from '../ports.js';
import { bootTimeoutMs, type PrivateBroker } from './broker.js';
import { handshake } from './handshake.js';
import { type BrokerUsers, brokerUsers, urlOfUser } from './users.js';

/** The image used where no other is asked for. */
export const defaultBrokerImage = 'rabbitmq:4-management';

/** The command of a container engine that runs here (`docker` or `podman`), if there is one. */
export async function findContainerEngine(): Promise<string | undefined> {
  for (const engine of ['docker', 'podman']) {
    const { status } = await runToEnd(engine, ['info'], { timeoutMs: 5000 });
    if (status === 0) return engine;
  }
  return undefined;
}

/** Whether the engine has the image already, so that starting it needs no registry. */
export async function hasImage(engine: string, image: string): Promise<boolean> {
  return (await runToEnd(engine, ['image', 'inspect', image])).status === 0;
}

/**
 * Runs RabbitMQ in a container, published on loopback, on `preferredPort` if that is free; pulls the image if missing.
 */
export async function startContainerBroker(
  engine: string,
  image: string,
  preferredPort?: number,
): Promise<PrivateBroker> {
  const name = `evenkeel-broker-${process.pid}-${randomBytes(3).toString('hex')}`;
  const release = watchOver({ kind: 'container', engine, name });
  const stop = async (): Promise<void> => {
    await runToEnd(engine, ['rm', '-f', name]);
    release();
  };
  try {
    // A port of our choice: one that the engine chooses would change on a restart.
    const port = await portOr(preferredPort, await freePort());
    const users = brokerUsers();
    await engineCommand(engine, ['create', '--name', name, '-p', `127.0.0.1:${port}:5672`, image], 300_000);
    await copyDefinitions(users, (from, to) => engineCommand(engine, ['cp', from, `${name}:${to}`]));
    await engineCommand(engine, ['start', name]);
    const amqpUrl = `amqp://guest:guest@127.0.0.1:${port}`;
    const ctlArgs = ['exec', '-i', name, 'rabbitmqctl', '--quiet'];
    const version = await untilBrokerAnswers(engine, name, amqpUrl);
    return {
      kind: 'container',
      amqpUrl,
      users,
      urlFor: (user) => urlOfUser(amqpUrl, user, users.passwordOf(user)),
      async addUser(user) {
        users.add(user);
        await copyDefinitions(users, (from, to) => engineCommand(engine, ['cp', from, `${name}:${to}`]));
        await engineCommand(engine, [...ctlArgs, 'import_definitions', definitionsInContainer]);
      },
      version,
      description: `RabbitMQ ${version} in ${engine} container ${name} (${image})`,
      pid: undefined,
      ended: () =>
        engineCommand(engine, ['wait', name], 2 ** 31 - 1).then(
          (status) => `exit status ${status.trim()}`,
          () => 'container gone',
        ),
      async restart() {
        await engineCommand(engine, ['restart', '-t', '3', name]);
        await untilBrokerAnswers(engine, name, amqpUrl);
      },
      stop,
      ctlCommand: { command: engine, args: ctlArgs, env: {} },
      ctl: (args) => engineCommand(engine, [...ctlArgs, ...args]),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where a broker in a container has its users, rights and exchanges from, on every boot. */
export const definitionsInContainer = '/etc/rabbitmq/evenkeel.json';

/** Hands `copy` the files that make a container's broker load the definitions of these users. */
export async function copyDefinitions(
  users: BrokerUsers,
  copy: (from: string, to: string) => Promise<unknown>,
): Promise<void> {
  const dir = freshDir('definitions');
  // The folder is for nobody else; the broker in the container is another user, and reads the files.
  chmodSync(dir, 0o700);
  try {
    const definitions = join(dir, 'evenkeel.json');
    writeFileSync(definitions, JSON.stringify(users.definitions()), { mode: 0o644 });
    const config = join(dir, '90-evenkeel.conf');
    writeFileSync(config, `load_definitions = ${definitionsInContainer}\n`, { mode: 0o644 });
    await copy(definitions, definitionsInContainer);
    await copy(config, '/etc/rabbitmq/conf.d/90-evenkeel.conf');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Waits until a broker in a container takes a login; returns its version. @throws Failure when it ends or takes too long. */
export async function untilBrokerAnswers(engine: string, name: string, amqpUrl: string): Promise<string> {
  const deadline = Date.now() + bootTimeoutMs;
  while (Date.now() < deadline) {
    const result = await handshake(amqpUrl);
    if (result.outcome === 'accepted') return result.version;
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { status } = await runToEnd(engine, ['inspect', name]);
    if (status !== 0)
      throw new Failure('broker-ended', `The broker's container ${name} ended while booting.`);
  }
  throw new Failure('broker-not-ready', `The broker in container ${name} did not answer in time.`);
}

async function engineCommand(engine: string, args: readonly string[], timeoutMs = 60_000): Promise<string> {
  const result = await runToEnd(engine, args, { timeoutMs });
  if (result.status === 0) return result.stdout;
  const said = result.stderr.trim() || result.stdout.trim();
  throw new Failure('container-engine', `${engine} ${args[0]} failed: ${said}`);
}
