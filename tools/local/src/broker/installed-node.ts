import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Child, runToEnd } from '../child.js';
import { environment } from '../environment.js';
import { Failure } from '../failure.js';
import { freshDir } from '../paths.js';
import { type BrokerNode, bootTimeoutMs, type PrivateBroker } from './broker.js';
import { handshake } from './handshake.js';

const stopTimeoutMs = 2500;
const silent = (): void => undefined;

/** Where one node listens, and what it is called. */
export interface NodePlace {
  /** What it keeps: data, settings. */
  readonly dir: string;
  /** Where the Erlang cookie is made and kept: nodes of a cluster share it. */
  readonly home: string;
  /** Node name, `…@localhost`. */
  readonly name: string;
  readonly amqpPort: number;
  readonly distPort: number;
  readonly epmdPort: number;
  /** A file of definitions that it loads on every boot: users, rights and exchanges are there again after a reset too. */
  readonly definitions?: string;
  /** The nodes of its cluster that it looks for on its first boot. Default: it is alone. */
  readonly peers?: readonly string[];
}

/** One RabbitMQ as a child of ours. */
export class InstalledNode implements BrokerNode {
  readonly name: string;
  /** Where it answers, as the administrator. */
  readonly amqpUrl: string;
  readonly ctlCommand: PrivateBroker['ctlCommand'];
  readonly #scripts: string;
  readonly #env: Record<string, string>;
  readonly #dir: string;
  #server: Child;

  /** Boots it; {@link InstalledNode.untilReady} waits for it. */
  constructor(scripts: string, place: NodePlace) {
    const { dir, name, amqpPort } = place;
    this.name = name;
    this.amqpUrl = `amqp://guest:guest@127.0.0.1:${amqpPort}`;
    this.#scripts = scripts;
    this.#dir = dir;
    this.#env = brokerEnvironment(place);
    this.ctlCommand = { command: join(scripts, 'rabbitmqctl'), args: ['--quiet'], env: this.#env };
    writeFileSync(join(dir, 'rabbitmq.conf'), brokerConfig(place));
    // No plugins: they are what takes the longest to boot.
    writeFileSync(join(dir, 'enabled_plugins'), '[].\n');
    this.#server = this.#boot();
  }

  get pid(): number {
    return this.#server.pid;
  }

  get isRunning(): boolean {
    return !this.#server.hasExited;
  }

  /** Settles when what runs now has ended, with how. */
  ended(): Promise<string> {
    return this.#server.exited;
  }

  /** Waits until it takes a login; returns its version. */
  async untilReady(): Promise<string> {
    let version = 'unknown';
    await this.#server.waitUntil(async () => {
      const result = await handshake(this.amqpUrl);
      if (result.outcome === 'accepted') version = result.version;
      return result.outcome === 'accepted';
    }, bootTimeoutMs);
    return version;
  }

  /** Ends it in order, by force after a moment. */
  stop(): Promise<void> {
    return this.#server.stop(stopTimeoutMs);
  }

  /** Ends it as a power cut does. */
  kill(): Promise<void> {
    return this.#server.stop(0, 'SIGKILL');
  }

  /** Boots it again with its data, ended before where it still runs; resolves when it answers. */
  async restart(): Promise<void> {
    await this.stop();
    this.#server = this.#boot();
    await this.untilReady();
  }

  /** Runs `rabbitmqctl` against it and returns what that printed; fails when the command fails. */
  async ctl(args: readonly string[]): Promise<string> {
    const { command, args: always, env } = this.ctlCommand;
    const result = await runToEnd(command, [...always, ...args], { env });
    if (result.status === 0) return result.stdout;
    throw new Failure('rabbitmqctl', `rabbitmqctl ${args.join(' ')}: ${result.stderr || result.stdout}`);
  }

  #boot(): Child {
    return new Child({
      name: 'rabbitmq',
      command: join(this.#scripts, 'rabbitmq-server'),
      args: [],
      env: this.#env,
      cwd: this.#dir,
      onLine: silent,
    });
  }
}

/** The port mapper of the nodes of one broker: the system's own would stay behind. */
export function startPortMapper({ dir, epmdPort }: Pick<NodePlace, 'dir' | 'epmdPort'>): Child {
  return new Child({
    name: 'epmd',
    command: 'epmd',
    args: ['-port', String(epmdPort), '-address', '127.0.0.1'],
    env: { ...environment(), ...mapperEnvironment(epmdPort) },
    cwd: dir,
    onLine: silent,
  });
}

/** A folder for what one broker keeps. */
export const brokerDir = (): string => freshDir('broker');

const mapperEnvironment = (epmdPort: number): Record<string, string> => ({
  ERL_EPMD_PORT: String(epmdPort),
  ERL_EPMD_ADDRESS: '127.0.0.1',
});

function brokerConfig({ amqpPort, definitions, peers = [] }: NodePlace): string {
  return [
    `listeners.tcp.local = 127.0.0.1:${amqpPort}`,
    ...(definitions === undefined ? [] : [`load_definitions = ${definitions}`]),
    'log.console = true',
    'log.console.level = warning',
    'log.file = false',
    'vm_memory_high_watermark.relative = 0.4',
    'disk_free_limit.absolute = 50MB',
    // Every busy queue is counted this often, for a management plugin that is not there.
    'collect_statistics_interval = 60000',
    ...(peers.length === 0
      ? []
      : [
          'cluster_partition_handling = pause_minority',
          'cluster_formation.peer_discovery_backend = classic_config',
          ...peers.map((peer, n) => `cluster_formation.classic_config.nodes.${n + 1} = ${peer}`),
        ]),
    '',
  ].join('\n');
}

function brokerEnvironment({ dir, home, name, distPort, epmdPort }: NodePlace): Record<string, string> {
  return {
    ...environment(),
    HOME: home,
    ...mapperEnvironment(epmdPort),
    RABBITMQ_NODENAME: name,
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
