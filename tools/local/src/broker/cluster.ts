import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Failure } from '../failure.js';
import { watchOver } from '../guard.js';
import { root } from '../paths.js';
import { freePorts, portOr } from '../ports.js';
import type { BrokerNode, PrivateBroker } from './broker.js';
import { findInstalledBroker } from './installed.js';
import { brokerDir, InstalledNode, startPortMapper } from './installed-node.js';
import { brokerUsers, urlOfUser } from './users.js';

/** Several nodes of RabbitMQ as one broker. Its addresses are lists, of every node. */
export interface PrivateCluster extends PrivateBroker {
  readonly nodes: readonly BrokerNode[];
}

/**
 * Boots an installed RabbitMQ several times as one cluster, each node a child of ours; the first on `preferredPort` if that
 * is free. Needs no container.
 */
export async function startCluster(size: number, preferredPort?: number): Promise<PrivateCluster> {
  const scripts = findInstalledBroker();
  if (scripts === undefined) {
    throw new Failure(
      'no-broker',
      'Several brokers need an installed RabbitMQ (rabbitmq-server). Install it, or leave out --brokers.',
    );
  }
  const dir = brokerDir();
  const releaseDir = watchOver({ kind: 'path', path: dir });
  const [epmdPort = 0, ...ports] = await freePorts(1 + 2 * size);
  const users = brokerUsers();
  const definitions = join(dir, 'definitions.json');
  const define = (): void =>
    writeFileSync(definitions, JSON.stringify(users.definitions(true)), { mode: 0o600 });
  define();
  // Nodes that boot at once would each make one of their own.
  writeFileSync(join(dir, '.erlang.cookie'), randomBytes(18).toString('hex'), { mode: 0o400 });
  const names = Array.from({ length: size }, (_, n) => `evenkeel-${epmdPort}-${n + 1}@localhost`);
  const firstPort = await portOr(preferredPort, ports[0] ?? 0);
  const epmd = startPortMapper({ dir, epmdPort });
  const boot = (n: number): InstalledNode => {
    const own = join(dir, `node-${n + 1}`);
    mkdirSync(own);
    const amqpPort = n === 0 ? firstPort : (ports[2 * n] ?? 0);
    const distPort = ports[2 * n + 1] ?? 0;
    const name = names[n] ?? '';
    return new InstalledNode(scripts, {
      dir: own,
      home: dir,
      name,
      amqpPort,
      distPort,
      epmdPort,
      peers: names,
    });
  };
  const nodes: InstalledNode[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
    await epmd.stop(500);
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    releaseDir();
  };
  let version = 'unknown';
  try {
    // The others find the first: booted all at once, each might begin a cluster of its own.
    for (let n = 0; n < size; n++) {
      const node = boot(n);
      nodes.push(node);
      version = await node.untilReady();
    }
    // Only now: what is kept on several nodes is given as many as there are when it is declared.
    await nodes[0]?.ctl(['import_definitions', definitions]);
  } catch (error) {
    await stop();
    throw error;
  }
  const [first] = nodes;
  if (first === undefined) throw new Error('a cluster has nodes');
  const running = (): InstalledNode => nodes.find((node) => node.isRunning) ?? first;
  const urlFor = (user: string): string =>
    nodes.map(({ amqpUrl }) => urlOfUser(amqpUrl, user, users.passwordOf(user))).join();
  return {
    kind: 'installed',
    nodes,
    amqpUrl: nodes.map(({ amqpUrl }) => amqpUrl).join(),
    users,
    urlFor,
    async addUser(user) {
      users.add(user);
      define();
      await running().ctl(['import_definitions', definitions]);
    },
    version,
    description: `private RabbitMQ ${version} (${scripts}), ${size} nodes, data in ${relative(root, dir)}`,
    get pid() {
      return first.pid;
    },
    ended: () => Promise.any(nodes.map((node) => node.ended())),
    async restart() {
      for (const node of nodes) if (!node.isRunning) await node.restart();
    },
    stop,
    get ctlCommand() {
      return running().ctlCommand;
    },
    ctl: (args) => running().ctl(args),
  };
}
