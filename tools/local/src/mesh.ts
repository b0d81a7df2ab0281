import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { appUser } from '@evenkeel/mesh/rights';
import type { LineSink } from './child.js';
import { forRole } from './given.js';
import { fileSink } from './log-files.js';
import { Member, type Role } from './member.js';
import { freePort, freePorts, portOr } from './ports.js';
import type { CertificateFolder } from './tls/folder.js';

/** A development mesh takes operators' commands without a user_id too. */
const development = { EVENKEEL_OPERATORS: 'operator,console,guest,anonymous' };
/** Where each has a user of its own, the administrator may command edges beside the balancer: tests and benches do. */
const administered = { EVENKEEL_BALANCER_USER: 'balancer,guest' };

export interface MeshOptions {
  /** How many edges to start with, named `edge-1`, `edge-2` and so on. */
  readonly edges: number;
  /** The administrator's address, or the only one that there is. */
  readonly amqpUrl: string;
  /** The address for each of the mesh's users. Default: everybody has the same. */
  readonly urlFor?: (user: string) => string;
  /** Gives the broker one more user, where that is ours to do. */
  readonly addUser?: (user: string) => Promise<void>;
  /** Signs the tickets. Default: a random one. */
  readonly secret?: string;
  /** Settings, each for the services that have it; over what is set here, but for what says which process is which. `EVENKEEL_PUBLIC_URL` as {@link publicUrl}. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default `free`: any. Else the gateway's port and the first edge's; the others follow it. */
  readonly ports?:
    | 'free'
    | {
        readonly gateway: number;
        readonly firstEdge: number;
        readonly console?: number;
        readonly api?: number;
      };
  /** The compiled checkout that all of it runs. Default: this one. */
  readonly checkout?: string;
  /** How the gateway knows its users. Default `dev`: it believes `?user=`. */
  readonly auth?: string;
  /** What clients are told to dial, `{node}` and `{port}` filled in: a front's. Default: each edge's own address. */
  readonly publicUrl?: string;
  /** Edges and gateway serve clients by TLS with this. What dials them has to trust its authority (`NODE_EXTRA_CA_CERTS`). */
  readonly tls?: Pick<CertificateFolder, 'certFile' | 'keyFile'> | undefined;
  /** Edges answer HAProxy's agent-check, each on a port of its own. Default false. */
  readonly hasAgents?: boolean;
  /** How many balancers; default one. */
  readonly balancer?: boolean | number;
  /** Default false. */
  readonly demo?: boolean;
  /** Whether the console runs; in development mode whoever is on this machine operates. Default false. */
  readonly console?: boolean;
  /** Whether the HTTP API runs, with one key that may do everything. Default false. */
  readonly api?: boolean;
  /** SDK clients that a crowd process runs, with events that are numbered and checked. Default 0: no crowd. */
  readonly crowd?: number;
  /** What the names of its edges begin with. Default: nothing. */
  readonly nodePrefix?: string;
  /** Whether it has a gateway; else `gateway` is one that never runs: that of another mesh places here too. Default true. */
  readonly hasGateway?: boolean;
  /** For the gateway alone, over everything else. */
  readonly gatewayEnv?: Readonly<Record<string, string>>;
  /** One file a service is written here. Ignored when `onLine` is given; neither: logs are dropped. */
  readonly logDir?: string;
  readonly onLine?: LineSink;
  /** Is told when a service ends without having been told to. Nothing restarts it by itself. */
  readonly onUnexpectedEnd?: (member: Member, how: string) => void;
}

/** An edge of a running mesh. */
export class Edge extends Member {
  /** Its own; clients may be told another, a front's. */
  readonly url: string;
  /** Where it answers HAProxy's agent-check; undefined: it does not. */
  readonly agentPort: number | undefined;

  constructor(url: string, agentPort: number | undefined, ...rest: ConstructorParameters<typeof Member>) {
    super(...rest);
    this.url = url;
    this.agentPort = agentPort;
  }

  get node(): string {
    return this.name;
  }
}

/** Which user of the broker each service is. */
const userOf: Readonly<Record<Role, string>> = {
  edge: 'edge',
  gateway: 'gateway',
  balancer: 'balancer',
  console: 'console',
  api: 'api',
  demo: appUser('demo'),
  crowd: appUser('crowd'),
};

export interface Mesh {
  readonly amqpUrl: string;
  urlFor(user: string): string;
  readonly addUser: ((user: string) => Promise<void>) | undefined;
  readonly secret: string;
  readonly gatewayUrl: string;
  readonly gateway: Member;
  readonly edges: readonly Edge[];
  readonly balancers: readonly Member[];
  readonly demo: Member | undefined;
  readonly console: Member | undefined;
  readonly consoleUrl: string | undefined;
  readonly api: Member | undefined;
  /** Where the HTTP API is, and the key that it takes. */
  readonly apiAddress: { readonly url: string; readonly key: string } | undefined;
  readonly crowd: Member | undefined;
  /** All of the above. */
  readonly members: readonly Member[];
  /** Starts one more edge, of another checkout where one is given, and waits until it is ready. */
  addEdge(env?: Readonly<Record<string, string>>, checkout?: string): Promise<Edge>;
  /** Stops an edge in order, its clients moved away first, and forgets it. */
  removeEdge(edge: Edge): Promise<void>;
  /** Stops everything in order, by force where need be, within about 7 s. */
  stop(): Promise<void>;
}

/**
 * Starts the services as processes, as `npm start` does, on a broker that runs already; resolves when
 * all are ready. When one does not become so, the others are stopped and the reason is thrown.
 */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const secret = options.secret ?? randomBytes(32).toString('base64url');
  const onLine = options.onLine ?? sinkFor(options.logDir);
  const edges: Edge[] = [];
  let made = 0;
  const { amqpUrl, urlFor = () => amqpUrl } = options;
  const shared = {
    EVENKEEL_OPERATOR_AMQP_URL: urlFor('operator'),
    EVENKEEL_SECRET: secret,
    EVENKEEL_HOST: '127.0.0.1',
    EVENKEEL_AUTH: options.auth ?? 'dev',
    ...((options.auth ?? 'dev') === 'dev' ? development : {}),
    ...(urlFor('edge') === amqpUrl ? {} : administered),
    ...(options.tls && {
      EVENKEEL_TLS_CERT_FILE: options.tls.certFile,
      EVENKEEL_TLS_KEY_FILE: options.tls.keyFile,
    }),
  };
  const secure = options.tls === undefined ? '' : 's';

  const member = async (role: Role, name: string, env: Record<string, string>) =>
    new Member(await memberOptions(role, name, env));
  const memberOptions = async (role: Role, name: string, env: Record<string, string>) => ({
    role,
    name,
    opsPort: await freePort(),
    checkout: options.checkout,
    env: forRole(role, { EVENKEEL_AMQP_URL: urlFor(userOf[role]), ...shared, ...options.env, ...env }),
    onLine,
    onUnexpectedEnd: options.onUnexpectedEnd ?? (() => undefined),
  });
  const newEdge = async (port: number): Promise<Edge> => {
    // Never a name again that was another edge's.
    const name = `${options.nodePrefix ?? ''}edge-${++made}`;
    const url = `ws${secure}://127.0.0.1:${port}/ws`;
    const agentPort = options.hasAgents === true ? await freePort() : undefined;
    const env = {
      EVENKEEL_NODE: name,
      EVENKEEL_PORT: String(port),
      EVENKEEL_PUBLIC_URL: options.publicUrl ?? options.env?.EVENKEEL_PUBLIC_URL ?? url,
      ...(agentPort !== undefined && { EVENKEEL_AGENT_PORT: String(agentPort) }),
    };
    const edge = new Edge(url, agentPort, await memberOptions('edge', name, env));
    edges.push(edge);
    return edge;
  };
  const ports = await choosePorts(options);
  const nextPort = ports.nextEdge;

  const gatewayUrl = `http${secure}://127.0.0.1:${ports.gateway}`;
  const consoleUrl = options.console === true ? `http${secure}://127.0.0.1:${ports.console}` : undefined;
  const gatewayOptions = await memberOptions('gateway', 'gateway', {
    EVENKEEL_PORT: String(ports.gateway),
    ...(consoleUrl !== undefined && { EVENKEEL_CONSOLE_URL: consoleUrl }),
  });
  const gateway = new Member({
    ...gatewayOptions,
    env: { ...gatewayOptions.env, ...options.gatewayEnv },
  });
  const balancers: Member[] = [];
  for (let n = 1; n <= Number(options.balancer ?? 1); n++) {
    const name = n === 1 ? 'balancer' : `balancer-${n}`;
    balancers.push(await member('balancer', name, { EVENKEEL_ID: name }));
  }
  const operatorsConsole =
    consoleUrl === undefined
      ? undefined
      : await member('console', 'console', {
          EVENKEEL_PORT: String(ports.console),
          ...((options.auth ?? 'dev') === 'dev' && { EVENKEEL_CONSOLE_OPEN: 'true' }),
        });
  const apiAddress =
    options.api === true
      ? {
          url: `http${secure}://127.0.0.1:${ports.api}`,
          key: randomBytes(32).toString('base64url'),
        }
      : undefined;
  const api =
    apiAddress === undefined
      ? undefined
      : await member('api', 'api', {
          EVENKEEL_PORT: String(ports.api),
          EVENKEEL_API_KEYS: [
            `local:publish+read+sessions+request:${createHash('sha256').update(apiAddress.key).digest('hex')}`,
            ...(options.env?.EVENKEEL_API_KEYS === undefined ? [] : [options.env.EVENKEEL_API_KEYS]),
          ].join(),
        });
  const demo = options.demo === true ? await member('demo', 'demo', {}) : undefined;
  const crowd =
    (options.crowd ?? 0) > 0
      ? await member('crowd', 'crowd', {
          EVENKEEL_GATEWAY: gatewayUrl,
          EVENKEEL_CROWD_CLIENTS: String(options.crowd),
        })
      : undefined;
  for (let n = 0; n < options.edges; n++) await newEdge(await nextPort());

  const mesh: Mesh = {
    amqpUrl,
    urlFor,
    addUser: options.addUser,
    secret,
    gatewayUrl,
    gateway,
    edges,
    balancers,
    demo,
    console: operatorsConsole,
    consoleUrl,
    api,
    apiAddress,
    crowd,
    get members() {
      const others = [operatorsConsole, api, demo, crowd].filter((each) => each !== undefined);
      return [...(options.hasGateway === false ? [] : [gateway]), ...edges, ...balancers, ...others];
    },
    async addEdge(env = {}, checkout = undefined) {
      const edge = await newEdge(await nextPort());
      if (checkout !== undefined) edge.runFrom(checkout);
      try {
        await edge.start(env);
      } catch (error) {
        await edge.kill();
        edges.splice(edges.indexOf(edge), 1);
        throw error;
      }
      return edge;
    },
    async removeEdge(edge) {
      await edge.stop();
      edges.splice(edges.indexOf(edge), 1);
    },
    stop: () => stopInOrder(mesh),
  };

  const starts = await Promise.allSettled(mesh.members.map((each) => each.start()));
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed !== undefined) {
    await mesh.stop();
    throw failed.reason;
  }
  return mesh;
}

/**
 * First those that bring in new work, then the edges while the balancer still answers, then the rest.
 * With every edge going there is nowhere to move a client to, so a drain is given little time.
 */
async function stopInOrder(mesh: Mesh): Promise<void> {
  // A frozen service cannot act on a signal; waking it costs nothing where it is not.
  for (const each of mesh.members) each.resume();
  const first = [mesh.crowd, mesh.demo, mesh.console, mesh.api, mesh.gateway];
  await Promise.all(first.map((each) => each?.stop('SIGTERM', 1000)));
  await Promise.all(mesh.edges.map((edge) => edge.stop('SIGTERM', 3500)));
  await Promise.all(mesh.balancers.map((balancer) => balancer.stop('SIGTERM', 1000)));
}

async function choosePorts(
  options: MeshOptions,
): Promise<{ gateway: number; console: number; api: number; nextEdge: () => Promise<number> }> {
  const wanted = options.ports ?? 'free';
  if (wanted === 'free') {
    // All at once first: ports asked for one by one may repeat.
    const [gateway = 0, forConsole = 0, api = 0, ...forEdges] = await freePorts(3 + options.edges);
    return { gateway, console: forConsole, api, nextEdge: async () => forEdges.shift() ?? freePort() };
  }
  let next = wanted.firstEdge;
  return {
    gateway: wanted.gateway,
    console: wanted.console ?? (await freePort()),
    api: wanted.api ?? (await freePort()),
    nextEdge: async () => portOr(next++, await freePort()),
  };
}

function sinkFor(logDir: string | undefined): LineSink {
  if (logDir === undefined) return () => undefined;
  mkdirSync(logDir, { recursive: true });
  return fileSink(logDir);
}
