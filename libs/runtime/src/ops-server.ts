import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { observeInfo } from './observed.js';
import { OpsAccess, type OpsAccessRules, type OpsRefusal } from './ops-access.js';

/** Longest request line and headers together, bytes. */
const maxHeaderBytes = 8_192;
const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
/** Connections at the same time; more are closed at once. */
const maxConnections = 256;
/** prom-client's gauges by the name of a counter. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

const refusals: Readonly<Record<OpsRefusal, { status: number; error: string }>> = {
  host: {
    status: 403,
    error: 'this server does not go by that name; ask by its address, or set EVENKEEL_OPS_HOSTS',
  },
  token: { status: 401, error: 'send Authorization: Bearer and the token of EVENKEEL_OPS_TOKEN' },
  'no-token': {
    status: 401,
    error: 'it listens on more than loopback: set EVENKEEL_OPS_TOKEN, and send it as Authorization: Bearer',
  },
};

/** What a service says of itself to those who operate it. */
export interface Ops {
  /** Served as `/metrics`, with Node's own figures. Every metric carries `service` and, where there is one, `node`. */
  readonly metrics: Registry;
  /** Adds a named check to `/readyz`: true, or why not. A check that throws counts as not ready. */
  readiness(name: string, check: () => true | string): void;
  /** Adds what `/readyz` is to say beside its checks, without a part in the outcome; undefined: nothing at present. */
  note(name: string, read: () => string | undefined): void;
  /** Whether every check passes, as `/readyz` says. */
  isReady(): boolean;
  /** Sets what `/status` serves as JSON. Default: nothing but an empty object. */
  status(read: () => object): void;
}

/** Where an {@link OpsServer} listens and what its metrics carry. */
interface OpsOptions extends OpsAccessRules {
  /** 0 takes any free one. */
  readonly port: number;
  readonly service: string;
  readonly node?: string | undefined;
  /** Of what is deployed. Default: of this code. */
  readonly version?: string | undefined;
}

/** Of this code: of the package.json that is one folder above, for the sources and for what is compiled. */
function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

/** An edge's setting when nobody has set it. */
const unknownVersion = '0';

/** The metrics of every service. */
export function commonMetrics(metrics: Registry, version = unknownVersion): void {
  observeInfo(metrics, 'evenkeel_build_info', 'What runs: 1, with the version in its labels', {
    version: version === unknownVersion ? ownVersion() : version,
    node_version: process.version,
  });
}

/**
 * `/healthz` (the process lives), `/readyz` (200, or 503, and its checks), `/metrics`, `/status`. On loopback whoever asks by
 * an expected name may read all of it; elsewhere whoever shows the token. Anybody else gets the status of the first two alone.
 */
export class OpsServer implements Ops {
  readonly #access: OpsAccess;
  readonly metrics = new Registry();
  readonly #options: OpsOptions;
  readonly #server: Server;
  readonly #checks = new Map<string, () => true | string>();
  readonly #notes = new Map<string, () => string | undefined>();
  #status: () => object = () => ({});

  constructor(options: OpsOptions) {
    this.#options = options;
    this.#access = new OpsAccess(options);
    const { service, node, version } = options;
    this.metrics.setDefaultLabels({ service, ...(node === undefined ? {} : { node }) });
    commonMetrics(this.metrics, version);
    this.#server = createServer(
      {
        maxHeaderSize: maxHeaderBytes,
        headersTimeout: headersTimeoutMs,
        requestTimeout: requestTimeoutMs,
        connectionsCheckingInterval: 1_000,
      },
      (request, response) => {
        this.#answer(request, response).catch((error: unknown) => {
          if (!response.headersSent) sendJson(response, 500, { error: String(error) });
          else response.destroy();
        });
      },
    );
    this.#server.maxConnections = maxConnections;
  }

  readiness(name: string, check: () => true | string): void {
    this.#checks.set(name, check);
  }

  note(name: string, read: () => string | undefined): void {
    this.#notes.set(name, read);
  }

  isReady(): boolean {
    return [...this.#checks.values()].every((check) => outcomeOf(check) === true);
  }

  status(read: () => object): void {
    this.#status = read;
  }

  /** Whether anybody may read metrics and status. */
  get isReadable(): boolean {
    return this.#access.isReadable;
  }

  /** The port in use; 0 before the start. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Listens; rejects when the port is taken. */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    collectDefaultMetrics({ register: this.metrics });
    for (const name of misnamed) this.metrics.removeSingleMetric(name);
  }

  /** Closes, open requests included. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return sendJson(response, 405, { error: 'use GET' });
    const path = (request.url ?? '/').split('?', 1)[0];
    const refusal = this.#access.refusal(request.headers);
    if (path === '/healthz' || path === '/readyz') {
      if (refusal !== undefined) return sendStatus(response, path === '/healthz' || this.isReady());
      return path === '/healthz' ? sendJson(response, 200, { alive: true }) : this.#answerReadiness(response);
    }
    if (refusal !== undefined) {
      const { status, error } = refusals[refusal];
      return sendJson(response, status, { error }, status === 401 ? { 'www-authenticate': 'Bearer' } : {});
    }
    switch (path) {
      case '/status':
        return sendJson(response, 200, this.#status());
      case '/metrics': {
        const body = await this.metrics.metrics();
        response.writeHead(200, { ...protective, 'content-type': this.metrics.contentType }).end(body);
        return;
      }
      default:
        sendJson(response, 404, { error: 'there are /healthz, /readyz, /metrics and /status' });
    }
  }

  #answerReadiness(response: ServerResponse): void {
    const checks = [...this.#checks].map(([name, check]) => [name, outcomeOf(check)] as const);
    const notes = [...this.#notes].flatMap(([name, read]) => {
      const note = read();
      return note === undefined ? [] : [[name, note] as const];
    });
    const isReady = this.isReady();
    sendJson(response, isReady ? 200 : 503, {
      ready: isReady,
      checks: Object.fromEntries(checks),
      ...(notes.length === 0 ? {} : { notes: Object.fromEntries(notes) }),
    });
  }
}

function outcomeOf(check: () => true | string): true | string {
  try {
    return check();
  } catch (error) {
    return String(error);
  }
}

/** No page may read or show what is said here. */
const protective = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

function sendStatus(response: ServerResponse, isGood: boolean): void {
  response.writeHead(isGood ? 200 : 503, { ...protective, 'content-length': 0 }).end();
}

function sendJson(
  response: ServerResponse,
  code: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(code, { ...protective, 'content-type': 'application/json', ...headers });
  response.end(`${JSON.stringify(body)}\n`);
}
