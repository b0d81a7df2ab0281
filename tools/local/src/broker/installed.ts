import { accessSync, constants, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { Child, runToEnd } from '../child.js';
import { environment } from '../environment.js';
import { Failure } from '../failure.js';
import { watchOver } from '../guard.js';
import { freshDir, root } from '../paths.js';
import { freePorts, portOr } from '../ports.js';
import { bootTimeoutMs, type PrivateBroker } from './broker.js';
import { handshake } from './handshake.js';
import { brokerUsers, urlOfUser } from './users.js';

// Debian's /usr/sbin/rabbitmq-server is a wrapper that insists on the system's user; behind it is the
// real script.
const scriptDirs = ['/usr/lib/rabbitmq/bin', '/opt/homebrew/sbin', '/usr/local/sbin', '/usr/sbin'];

const stopTimeoutMs = 2500;

/** The folder of an installed RabbitMQ's scripts, if there is one. */
export function findInstalledBroker(): string | undefined {
  const path = (environment().PATH ?? '').split(delimiter);
  return [...scriptDirs, ...path].find((dir) => isExecutable(join(dir, 'rabbitmq-server')));
}

/**
 * Boots an installed RabbitMQ as a child of ours, apart from any other on the machine: own node name,
 * ports, data and cookie, and an own port mapper (epmd), as the usual one would stay behind. All of it
 * listens on loopback only, AMQP on `preferredPort` if that is free.
 */
export async function startInstalledBroker(scripts: string, preferredPort?: number): Promise<PrivateBroker> {
  const dir = freshDir('broker');
  const releaseDir = watchOver({ kind: 'path', path: dir });
  const [anyPort = 0, distPort = 0, epmdPort = 0] = await freePorts(3);
  const amqpPort = await portOr(preferredPort, anyPort);
  const amqpUrl = `amqp://guest:guest@127.0.0.1:${amqpPort}`;
  const env = brokerEnvironment(dir, distPort, epmdPort);
  const users = brokerUsers();
  const definitions = join(dir, 'definitions.json');
  const define = (): void => writeFileSync(definitions, JSON.stringify(users.definitions()), { mode: 0o600 });
  define();
  writeFileSync(join(dir, 'rabbitmq.conf'), brokerConfig(amqpPort, definitions));
  // No plugins: they are what takes the longest to boot.
  writeFileSync(join(dir, 'enabled_plugins'), '[].\n');

  const silent = (): void => undefined;
  const epmd = new Child({
    name: 'epmd',
    command: 'epmd',
    args: ['-port', String(epmdPort), '-address', '127.0.0.1'],
    env,
    cwd: dir,
    onLine: silent,
  });
  const bootServer = (): Child =>
    new Child({
      name: 'rabbitmq',
      command: join(scripts, 'rabbitmq-server'),
      args: [],
      env,
      cwd: dir,
      onLine: silent,
    });
  let server = bootServer();

  const stop = async (): Promise<void> => {
    await server.stop(stopTimeoutMs);
    await epmd.stop(500);
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    releaseDir();
  };
  const untilReady = async (): Promise<string> => {
    let version = 'unknown';
    await server.waitUntil(async () => {
      const result = await handshake(amqpUrl);
      if (result.outcome === 'accepted') version = result.version;
      return result.outcome === 'accepted';
    }, bootTimeoutMs);
    return version;
  };

  const version = await untilReady().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const ctl = { command: join(scripts, 'rabbitmqctl'), args: ['--quiet'], env };
  const runCtl = async (args: readonly string[]): Promise<string> => {
    const result = await runToEnd(ctl.command, [...ctl.args, ...args], { env });
    if (result.status === 0) return result.stdout;
    throw new Failure('rabbitmqctl', `rabbitmqctl ${args.join(' ')}: ${result.stderr || result.stdout}`);
  };
  return {
    kind: 'installed',
    amqpUrl,
    users,
    urlFor: (user) => urlOfUser(amqpUrl, user, users.passwordOf(user)),
    async addUser(user) {
      users.add(user);
      define();
      await runCtl(['import_definitions', definitions]);
    },
    version,
    description: `private RabbitMQ ${version} (${scripts}), data in ${relative(root, dir)}`,
    get pid() {
      return server.pid;
    },
    ended: () => server.exited,
    async restart() {
      await server.stop(stopTimeoutMs);
      server = bootServer();
      await untilReady();
    },
    stop,
    ctlCommand: ctl,
    ctl: runCtl,
  };
}

function brokerConfig(amqpPort: number, definitions: string): string {
  return [
    `listeners.tcp.local = 127.0.0.1:${amqpPort}`,
    // On every boot: users, rights and exchanges are there again after a reset too.
    `load_definitions = ${definitions}`,
    'log.console = true',
    'log.console.level = warning',
    'log.file = false',
    'vm_memory_high_watermark.relative = 0.4',
    'disk_free_limit.absolute = 50MB',
    // Every busy queue is counted this often, for a management plugin that is not there.
    'collect_statistics_interval = 60000',
    '',
  ].join('\n');
}

function brokerEnvironment(dir: string, distPort: number, epmdPort: number): Record<string, string> {
  return {
    ...environment(),
    // The Erlang cookie is made and kept here.
    HOME: dir,
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `evenkeel-${epmdPort}@localhost`,
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_CONF_ENV_FILE: join(dir, 'no-rabbitmq-env.conf'),
    RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(dir, 'no-advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(dir, 'data'),
    RABBITMQ_LOG_BASE: join(dir, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_PID_FILE: join(dir, 'pid'),
    RABBITMQ_GENERATED_CONFIG_DIR: join(dir, 'config'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `${schedulers()} -kernel inet_dist_use_interface {127,0,0,1}`,
  };
}

/**
 * Idle schedulers that spin would take the cores the edges need; and on two cores a second scheduler costs more in wake-ups
 * than it brings beside everything else that runs there.
 */
function schedulers(): string {
  const one = availableParallelism() <= 2 ? '+S 1:1 ' : '';
  return `${one}+sbwt none +sbwtdcpu none +sbwtdio none`;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
