import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Broker } from '@evenkeel/broker';
import { freePort, type PrivateBroker, watchOver } from '@evenkeel/local';
import { meshTopology } from '@evenkeel/protocol';
import { moduleOf, type Tree } from '../tree.js';

/** An edge of either tree. */
interface EdgeUnderTest {
  readonly node: string;
  readonly url: string;
}

/** How a mesh is run, beside its tree. */
export interface Manner {
  /** Settings of its edges and its gateway. */
  readonly env: Readonly<Record<string, string>>;
  /** What a user shows to the gateway. */
  tokenOf?(user: string): string;
}

/** Two edges and a gateway of one tree, on a virtual host of their own. */
export interface MeshUnderTest {
  readonly amqpUrl: string;
  readonly gatewayUrl: string;
  readonly tokenOf: Manner['tokenOf'];
  readonly edges: readonly EdgeUnderTest[];
  /** The client SDK of the same tree, to be imported. */
  readonly clientModule: string;
  /** What RabbitMQ holds after it has collected its garbage, bytes. */
  brokerBytes(): Promise<number>;
  /** Processor time that RabbitMQ and the services have used so far; undefined where this system does not tell. */
  cpuMs(): Promise<{ readonly broker: number; readonly services: number } | undefined>;
  stop(): Promise<void>;
}

const readyTimeoutMs = 60_000;
const stopTimeoutMs = 15_000;
/** In the broker's own language. */
const memory = '[erlang:garbage_collect(P) || P <- erlang:processes()], erlang:memory(total).';
let runs = 0;

/** Settings that both trees know; none of the rates that protect a mesh in production stands in the way. */
const settings = {
  EVENKEEL_SECRET: 'a-secret-of-the-comparison',
  EVENKEEL_HOST: '127.0.0.1',
  EVENKEEL_LOG_LEVEL: 'error',
  EVENKEEL_AUTH: 'dev',
  EVENKEEL_NEW_SESSIONS_PER_SECOND: '100000',
  EVENKEEL_HANDSHAKES_PER_SECOND: '100000',
  EVENKEEL_DRAIN_PATIENCE_MS: '1',
  EVENKEEL_DRAIN_TIMEOUT_MS: '1',
};

/** Starts the services of `tree`; resolves when all are ready. @throws Error when one does not become so. */
export async function startMeshOf(
  tree: Tree,
  broker: PrivateBroker,
  manner: Manner = { env: {} },
): Promise<MeshUnderTest> {
  runs += 1;
  const vhost = `compare-${runs}`;
  await broker.ctl(['add_vhost', vhost]);
  await broker.ctl(['set_permissions', '-p', vhost, 'guest', '.*', '.*', '.*']);
  const amqpUrl = `${broker.amqpUrl.replace(/\/$/, '')}/${vhost}`;
  // A balancer would declare them; none runs here.
  const declaring = await Broker.connect({ url: amqpUrl, name: 'compare', attempts: 5 });
  await declaring.declare(meshTopology);
  await declaring.close();
  const children: Service[] = [];
  const stop = async () => {
    await Promise.all(children.map((child) => child.stop()));
    await broker.ctl(['delete_vhost', vhost]);
  };
  const start = async (service: string, env: Record<string, string>): Promise<void> => {
    const opsPort = await freePort();
    const child = new Service(join(tree.dir, 'services', service, 'dist', 'main.js'), {
      ...settings,
      ...manner.env,
      EVENKEEL_AMQP_URL: amqpUrl,
      EVENKEEL_OPS_PORT: String(opsPort),
      ...env,
    });
    children.push(child);
    await child.untilReady(opsPort);
  };
  try {
    const ports = [await freePort(), await freePort(), await freePort()] as const;
    const edges = [1, 2].map((n) => ({ node: `edge-${n}`, url: `ws://127.0.0.1:${ports[n - 1]}/ws` }));
    await Promise.all(
      edges.map(({ node }, n) => start('edge', { EVENKEEL_NODE: node, EVENKEEL_PORT: String(ports[n]) })),
    );
    await start('gateway', { EVENKEEL_PORT: String(ports[2]) });
    const brokerBytes = async () => Number((await broker.ctl(['eval', memory])).trim());
    const brokerPid = Number((await broker.ctl(['eval', 'list_to_integer(os:getpid()).'])).trim());
    const cpuMs = async () => {
      const [ofBroker, ...ofServices] = await Promise.all(
        [brokerPid, ...children.map(({ pid }) => pid)].map(cpuMsOf),
      );
      if (ofBroker === undefined) return undefined;
      return { broker: ofBroker, services: ofServices.reduce<number>((sum, ms) => sum + (ms ?? 0), 0) };
    };
    const clientModule = moduleOf(tree, 'client');
    return {
      amqpUrl,
      gatewayUrl: `http://127.0.0.1:${ports[2]}`,
      edges,
      tokenOf: manner.tokenOf,
      clientModule,
      brokerBytes,
      cpuMs,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Linux counts processor time in ticks of 10 ms; fields as `proc(5)` has them, behind the name in brackets. */
async function cpuMsOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  const [user, system] =
    stat
      ?.slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13) ?? [];
  return user === undefined || system === undefined ? undefined : (Number(user) + Number(system)) * 10;
}

class Service {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #release: () => void;
  readonly #file: string;
  #output = '';

  constructor(file: string, env: Record<string, string>) {
    this.#file = file;
    this.#child = spawn(process.execPath, [file], {
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#exited = once(this.#child, 'exit');
    this.#release = watchOver({ kind: 'group', pid: this.#child.pid ?? -1 });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk) => {
        this.#output = `${this.#output}${chunk}`.slice(-4_000);
      });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  async untilReady(opsPort: number): Promise<void> {
    const endsAtMs = performance.now() + readyTimeoutMs;
    while (performance.now() < endsAtMs) {
      if (this.#child.exitCode !== null) break;
      const isReady = await fetch(`http://127.0.0.1:${opsPort}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isReady) return;
      await sleep(100);
    }
    throw new Error(`${this.#file} did not become ready:\n${this.#output}`);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopTimeoutMs);
      await this.#exited;
      clearTimeout(timer);
    }
    this.#release();
  }
}
