import { accessSync, constants, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { environment } from '../environment.js';
import { watchOver } from '../guard.js';
import { root } from '../paths.js';
import { freePorts, portOr } from '../ports.js';
import type { PrivateBroker } from './broker.js';
import { brokerDir, InstalledNode, startPortMapper } from './installed-node.js';
import { brokerUsers, urlOfUser } from './users.js';

// Debian's /usr/sbin/rabbitmq-server is a wrapper that insists on the system's user; behind it is the
// real script.
const scriptDirs = ['/usr/lib/rabbitmq/bin', '/opt/homebrew/sbin', '/usr/local/sbin', '/usr/sbin'];

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
  const dir = brokerDir();
  const releaseDir = watchOver({ kind: 'path', path: dir });
  const [anyPort = 0, distPort = 0, epmdPort = 0] = await freePorts(3);
  const amqpPort = await portOr(preferredPort, anyPort);
  const users = brokerUsers();
  const definitions = join(dir, 'definitions.json');
  const define = (): void => writeFileSync(definitions, JSON.stringify(users.definitions()), { mode: 0o600 });
  define();
  const name = `evenkeel-${epmdPort}@localhost`;
  const epmd = startPortMapper({ dir, epmdPort });
  const node = new InstalledNode(scripts, {
    dir,
    home: dir,
    name,
    amqpPort,
    distPort,
    epmdPort,
    definitions,
  });
  const stop = async (): Promise<void> => {
    await node.stop();
    await epmd.stop(500);
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    releaseDir();
  };
  const version = await node.untilReady().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    kind: 'installed',
    amqpUrl: node.amqpUrl,
    users,
    urlFor: (user) => urlOfUser(node.amqpUrl, user, users.passwordOf(user)),
    async addUser(user) {
      users.add(user);
      define();
      await node.ctl(['import_definitions', definitions]);
    },
    version,
    description: `private RabbitMQ ${version} (${scripts}), data in ${relative(root, dir)}`,
    get pid() {
      return node.pid;
    },
    ended: () => node.ended(),
    restart: () => node.restart(),
    stop,
    ctlCommand: node.ctlCommand,
    ctl: (args) => node.ctl(args),
  };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
