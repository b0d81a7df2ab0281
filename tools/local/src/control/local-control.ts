import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rightsOf } from '@evenkeel/mesh/rights';
import type { Edge, Mesh } from '../mesh.js';
import { ControlError, deadForMs, LocalEdges, type LocalEdgesEvents } from './edges.js';
import { operate } from './operate.js';

/** How to reach a {@link LocalControl}: in run.json, and in the gateway's environment. */
export interface ControlAddress {
  readonly url: string;
  /** Goes into `authorization: Bearer …`. */
  readonly token: string;
}

/** Requests that are being carried out at most; more are refused with `busy`. */
const maxActions = 8;
const crowdTimeoutMs = 1_000;

type Action = (node: string | undefined, query: URLSearchParams) => Promise<object>;

/**
 * Takes requests for the edges of a mesh that `npm start` runs, from the demo's page (through the gateway) and from
 * `evenkeel local`. Listens on loopback, and answers only to whoever has its token.
 *
 * `GET /status`; `POST /add-edge`, `/stop-edge`, `/kill-edge`, `/drain`, `/uncordon`, the last four with `?node=`;
 * `/broker-user` with `?user=`.
 */
export class LocalControl {
  readonly #server: Server;
  readonly #token = randomBytes(32).toString('base64url');
  #mesh: Mesh | undefined;
  #edges: LocalEdges | undefined;
  #acting = 0;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** Listens on a free port; refuses everything until {@link attach}. */
  static async listen(): Promise<LocalControl> {
    const control = new LocalControl();
    control.#server.listen(0, '127.0.0.1');
    await once(control.#server, 'listening');
    return control;
  }

  get address(): ControlAddress {
    const { port } = this.#server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}`, token: this.#token };
  }

  /** What makes a gateway pass on what its page asks for. */
  get gatewayEnv(): Record<string, string> {
    const { url, token } = this.address;
    return { EVENKEEL_LOCAL_URL: url, EVENKEEL_LOCAL_TOKEN: token };
  }

  /** From now on it acts on this mesh. */
  attach(mesh: Mesh, events: LocalEdgesEvents): void {
    this.#mesh = mesh;
    this.#edges = new LocalEdges(mesh, events);
  }

  /** Takes no more requests, and starts nothing again. */
  close(): void {
    this.#mesh = undefined;
    this.#edges?.close();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    try {
      this.#authorize(request);
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://local');
      const isStatus = pathname === '/status' && request.method === 'GET';
      const body = isStatus ? await this.#status() : await this.#act(request.method, pathname, searchParams);
      send(response, 200, body);
    } catch (error) {
      const { status, code, message } = describe(error);
      send(response, status, { error: { code, message } });
    }
  }

  #authorize(request: IncomingMessage): void {
    const given = Buffer.from(request.headers.authorization ?? '');
    const wanted = Buffer.from(`Bearer ${this.#token}`);
    if (given.length === wanted.length && timingSafeEqual(given, wanted)) return;
    throw new ControlError(401, 'bad-token', 'The token is the one in .evenkeel/run.json.');
  }

  async #act(method: string | undefined, path: string, query: URLSearchParams): Promise<object> {
    const action = this.#actions()[path];
    if (action === undefined) {
      throw new ControlError(404, 'not-found', `There are ${Object.keys(this.#actions()).join(', ')}.`);
    }
    if (method !== 'POST') throw new ControlError(405, 'method-not-allowed', 'Use POST.');
    if (this.#acting >= maxActions) {
      throw new ControlError(429, 'busy', `${maxActions} requests are being carried out; wait for one.`);
    }
    this.#acting++;
    try {
      return await action(query.get('node') ?? undefined, query);
    } finally {
      this.#acting--;
    }
  }

  #actions(): Record<string, Action> {
    const { mesh, edges } = this.#running();
    return {
      '/add-edge': async () => describeEdge(await edges.add()),
      '/stop-edge': async (node) => describeEdge(await edges.stop(node)),
      '/kill-edge': async (node) => ({
        ...describeEdge(await edges.kill(node)),
        startsAgainInMs: deadForMs,
      }),
      '/drain': async (node) => {
        const nodes = [named(node)];
        await operate(mesh.urlFor('operator'), (operator) => operator.drain({ nodes }));
        return { node };
      },
      '/uncordon': async (node) => {
        const nodes = [named(node)];
        await operate(mesh.urlFor('operator'), (operator) => operator.uncordon({ nodes }));
        return { node };
      },
      '/broker-user': async (_node, query) => {
        const user = query.get('user') ?? '';
        if (mesh.addUser === undefined) {
          throw new ControlError(
            409,
            'not-our-broker',
            'The users of this broker are not made by npm start; use --management-url.',
          );
        }
        // Only one that there are rights for.
        rightsOf(user);
        await mesh.addUser(user);
        return { user, url: mesh.urlFor(user) };
      },
    };
  }

  async #status(): Promise<object> {
    const { mesh } = this.#running();
    return {
      edges: mesh.edges.map(({ node, phase }) => ({ node, phase })),
      crowd: await crowdStatus(mesh.crowd?.opsUrl),
    };
  }

  #running(): { mesh: Mesh; edges: LocalEdges } {
    if (this.#mesh !== undefined && this.#edges !== undefined) {
      return { mesh: this.#mesh, edges: this.#edges };
    }
    throw new ControlError(503, 'not-ready', 'The mesh is starting or stopping; try again in a moment.');
  }
}

function named(node: string | undefined): string {
  if (node !== undefined) return node;
  throw new ControlError(400, 'no-node', 'Name the node: ?node=edge-1.');
}

function describeEdge({ node, url }: Edge): { node: string; url: string } {
  return { node, url };
}

/** What the crowd counts; null while there is none, or none that answers. */
async function crowdStatus(opsUrl: string | undefined): Promise<unknown> {
  if (opsUrl === undefined) return null;
  try {
    const response = await fetch(`${opsUrl}/status`, { signal: AbortSignal.timeout(crowdTimeoutMs) });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

function describe(error: unknown): { status: number; code: string; message: string } {
  if (error instanceof ControlError) return error;
  // The balancer's refusals have a code; what has none is a fault of ours.
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'internal';
  return { status: code === 'internal' ? 500 : 409, code, message };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}
