import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Registry } from 'prom-client';

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
interface OpsOptions {
  /** 0 takes any free one. */
  readonly port: number;
  readonly host: string;
  readonly service: string;
  readonly node?: string | undefined;
}

/** `/healthz` (the process lives), `/readyz` (200, or 503, and its checks), `/metrics`, `/status`. */
export class OpsServer implements Ops {
  readonly metrics = new Registry();
  readonly #options: OpsOptions;
  readonly #server: Server;
  readonly #checks = new Map<string, () => true | string>();
  readonly #notes = new Map<string, () => string | undefined>();
  #status: () => object = () => ({});

  constructor(options: OpsOptions) {
    this.#options = options;
    const { service, node } = options;
    this.metrics.setDefaultLabels({ service, ...(node === undefined ? {} : { node }) });
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        if (!response.headersSent) sendJson(response, 500, { error: String(error) });
        else response.destroy();
      });
    });
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
    switch ((request.url ?? '/').split('?', 1)[0]) {
      case '/healthz':
        return sendJson(response, 200, { alive: true });
      case '/readyz':
        return this.#answerReadiness(response);
      case '/status':
        return sendJson(response, 200, this.#status());
      case '/metrics': {
        const body = await this.metrics.metrics();
        response.writeHead(200, { 'content-type': this.metrics.contentType }).end(body);
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

function sendJson(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}
