import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child, freePort, type Mesh, type PrivateBroker, startMesh, stateDir } from '@evenkeel/local';
import { Innocents } from './innocents.js';
import { Issuer, type IssuerMode } from './issuer.js';
import type { Weight } from './verdict.js';
import { type Extra, fewHandshakes, type Help, type Places } from './world.js';

const root = join(import.meta.dirname, '..', '..', '..');
const certificates = join(root, 'test', 'support', 'tls');
const startTimeoutMs = 60_000;
const users = ['guest', 'edge', 'gateway', 'balancer', 'operator', 'viewer', 'console', 'api', 'app-shop'];
const fewFiles = 400;
const pageMib = 4096 / 1024 ** 2;

/** What the rows may use of topics and methods: the first word decides. */
const namespaces = {
  namespaces: {
    room: { subscribe: 'claim', publish: 'claim', request: 'claim' },
    open: { subscribe: 'anyone', publish: 'anyone', request: 'anyone' },
    inbox: { subscribe: 'owner', publish: 'owner', request: 'owner' },
    closed: { subscribe: 'nobody', publish: 'nobody', request: 'nobody' },
    kept: { subscribe: 'anyone', publish: 'anyone', presence: true, history: { size: 1000, seconds: 600 } },
    asked: { subscribe: 'service', publish: 'service', request: 'service' },
  },
};

/** The mesh that is attacked, its innocent clients, the sink, and what single rows need beside them. */
export class Stage implements Help {
  readonly mesh: Mesh;
  readonly innocents: Innocents;
  readonly #broker: PrivateBroker;
  readonly #jwtSecret: string;
  readonly #issuer: Issuer;
  readonly #sink: ChildProcess;
  readonly #sinkPort: number;
  readonly #extras = new Map<
    Extra,
    { child: Child; url: string; opsUrl: string; restart: () => Promise<void> }
  >();
  #ended: string[] = [];

  private constructor(
    mesh: Mesh,
    innocents: Innocents,
    rest: { broker: PrivateBroker; jwtSecret: string; issuer: Issuer; sink: ChildProcess; sinkPort: number },
    ended: string[],
  ) {
    this.mesh = mesh;
    this.innocents = innocents;
    this.#broker = rest.broker;
    this.#jwtSecret = rest.jwtSecret;
    this.#issuer = rest.issuer;
    this.#sink = rest.sink;
    this.#sinkPort = rest.sinkPort;
    this.#ended = ended;
  }

  static async start(broker: PrivateBroker): Promise<Stage> {
    const jwtSecret = randomBytes(32).toString('base64url');
    const ended: string[] = [];
    const mesh = await startMesh({
      edges: 2,
      amqpUrl: broker.amqpUrl,
      urlFor: broker.urlFor,
      auth: 'jwt',
      env: {
        EVENKEEL_JWT_SECRET: jwtSecret,
        EVENKEEL_NAMESPACES: JSON.stringify(namespaces),
        EVENKEEL_ORIGINS: 'https://app.example',
        EVENKEEL_LIMIT_LOOPBACK: 'true',
        // Nobody is moved but by a row.
        EVENKEEL_MODE: 'manual',
        // The further edges are elsewhere: no innocent client is sent there.
        EVENKEEL_NODE_URL_PATTERN: 'ws://127.0.0.1:*/ws',
      },
      logDir: join(stateDir, 'attack'),
      onUnexpectedEnd: (member, how) => ended.push(`${member.name} (${how})`),
    });
    try {
      const sink = fork(join(import.meta.dirname, 'sink.js'), [broker.amqpUrl]);
      const [{ port }] = (await once(sink, 'message')) as [{ port: number }];
      const issuer = await Issuer.start(certificates);
      const innocents = await Innocents.start(mesh.gatewayUrl, broker.urlFor('app-demo'), jwtSecret);
      return new Stage(mesh, innocents, { broker, jwtSecret, issuer, sink, sinkPort: port }, ended);
    } catch (error) {
      await mesh.stop();
      throw error;
    }
  }

  get places(): Places {
    return {
      isSink: false,
      gateway: this.mesh.gatewayUrl,
      edges: this.mesh.edges.map(({ node, url, opsUrl }) => ({ node, url, opsUrl })),
      amqp: Object.fromEntries(users.map((user) => [user, this.#broker.urlFor(user)])),
      jwtSecret: this.#jwtSecret,
      ticketSecret: this.mesh.secret,
      extras: Object.fromEntries([...this.#extras].map(([name, { url }]) => [name, { url, node: name }])),
      opsOf: Object.fromEntries([...this.#extras].map(([name, { opsUrl }]) => [name, opsUrl])),
      issuerToken: this.#issuer.token({ sub: 'reader', exp: Math.floor(Date.now() / 1000) + 7200 }),
    };
  }

  get sinkPlaces(): Places {
    const gateway = `http://127.0.0.1:${this.#sinkPort}`;
    const url = `ws://127.0.0.1:${this.#sinkPort}/ws`;
    const edges = this.mesh.edges.map(({ node }) => ({ node, url, opsUrl: gateway }));
    const extras = Object.fromEntries([...this.#extras.keys()].map((name) => [name, { url, node: 'sink' }]));
    const amqp = Object.fromEntries(users.map((user) => [user, this.#broker.amqpUrl]));
    return { ...this.places, isSink: true, gateway, edges, amqp, extras };
  }

  /** Processes that have ended without having been told to, since this was asked last. */
  takeEnded(): string[] {
    const further = [...this.#extras].filter(([, { child }]) => child.hasExited).map(([name]) => name);
    const ended = [...this.#ended.splice(0), ...further];
    for (const name of further) this.#extras.delete(name);
    return ended;
  }

  /** Weighs edges, gateway and balancer from now on; the function returned ends it. */
  weigh(): () => Weight[] {
    const weighed = [...this.mesh.members, ...this.#further()].map(({ name, pid }) => {
      const nowMib = rssMib(pid);
      return { name, pid, beforeMib: nowMib, peakMib: nowMib };
    });
    const look = () => {
      for (const each of weighed) each.peakMib = Math.max(each.peakMib, rssMib(each.pid));
    };
    const timer = setInterval(look, 200);
    return () => {
      clearInterval(timer);
      look();
      return weighed.map(({ name, pid, beforeMib, peakMib }) => ({
        name,
        beforeMib,
        peakMib,
        afterMib: rssMib(pid),
      }));
    };
  }

  #further(): { name: string; pid: number }[] {
    return [...this.#extras].map(([name, { child }]) => ({ name, pid: child.pid }));
  }

  /** Starts what a row needs, unless it runs already. */
  async need(extra: Extra): Promise<void> {
    if (this.#extras.has(extra)) return;
    const [port, opsPort] = [await freePort(), await freePort()];
    const { role, env, limit } = this.#specOf(extra, port);
    const start = async (): Promise<Child> => {
      const child = new Child({
        name: extra,
        command: '/bin/sh',
        args: [
          '-c',
          `${limit === undefined ? '' : `ulimit -n ${limit};`} exec "$0" "$@"`,
          process.execPath,
          `services/${role}/dist/main.js`,
        ],
        cwd: root,
        env: { PATH: process.env.PATH ?? '', ...env, EVENKEEL_OPS_PORT: String(opsPort) },
        onLine: () => undefined,
      });
      await child.waitUntil(() => isReady(`http://127.0.0.1:${opsPort}`), startTimeoutMs);
      return child;
    };
    const url = role === 'edge' ? `ws://localhost:${port}/ws` : `http://127.0.0.1:${port}`;
    const restart = async (): Promise<void> => {
      const old = this.#extras.get(extra);
      await old?.child.stop(0, 'SIGKILL');
      this.#extras.set(extra, { child: await start(), url, opsUrl: `http://127.0.0.1:${opsPort}`, restart });
    };
    await restart();
  }

  async tellIssuer(mode: string): Promise<{ asked: number }> {
    return { asked: this.#issuer.become(mode as IssuerMode) };
  }

  async restart(extra: Extra): Promise<void> {
    await this.#extras.get(extra)?.restart();
  }

  #specOf(
    extra: Extra,
    port: number,
  ): { role: 'edge' | 'gateway'; env: Record<string, string>; limit?: number } {
    const shared = {
      EVENKEEL_SECRET: this.mesh.secret,
      EVENKEEL_HOST: '127.0.0.1',
      EVENKEEL_PORT: String(port),
      EVENKEEL_AUTH: 'jwt',
      EVENKEEL_LIMIT_LOOPBACK: 'true',
    };
    if (extra === 'spare-edge' || extra === 'few-files-edge') {
      const env = {
        ...shared,
        EVENKEEL_AMQP_URL: this.#broker.urlFor('edge'),
        EVENKEEL_NODE: extra,
        EVENKEEL_PUBLIC_URL: `ws://localhost:${port}/ws`,
        EVENKEEL_HANDSHAKES_PER_SECOND: String(fewHandshakes.perSecond),
        EVENKEEL_HANDSHAKES_BURST: String(fewHandshakes.burst),
      };
      return { role: 'edge', env, ...(extra === 'few-files-edge' && { limit: fewFiles }) };
    }
    const env = {
      ...shared,
      EVENKEEL_AMQP_URL: this.#broker.urlFor('gateway'),
      EVENKEEL_JWKS_URL: `${this.#issuer.url}/keys`,
      NODE_EXTRA_CA_CERTS: this.#issuer.certificate,
    };
    return { role: 'gateway', env };
  }

  async stop(): Promise<void> {
    await this.innocents.stop();
    for (const { child } of this.#extras.values()) await child.stop(0, 'SIGKILL');
    this.#issuer.close();
    this.#sink.disconnect();
    await this.mesh.stop();
  }
}

function rssMib(pid: number | null): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageMib;
  } catch {
    return 0;
  }
}

async function isReady(opsUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${opsUrl}/readyz`, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}
