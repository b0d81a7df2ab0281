import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** What an {@link OpsServer} serves. */
export interface OpsOptions {
  /** 0 takes any free port. */
  port: number;
  /** Default `0.0.0.0`. */
  host?: string;
  /** Served as `/metrics`; 404 without. */
  metrics?: Registry;
  /** Named checks of `/readyz`: true, or why not. A check that throws counts as not ready. */
  ready?: () => Record<string, true | string>;
  /** Served as JSON under `/status`; 404 without. */
  status?: () => unknown;
}

/** `/healthz` (the process lives), `/readyz` (200 or 503 and its checks), `/metrics`, `/status`. */
export class OpsServer {
  readonly #options: OpsOptions;
  readonly #server: Server;

  constructor(options: OpsOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        if (!response.headersSent) sendJson(response, 500, { error: String(error) });
        else response.destroy();
      });
    });
  }

  /** The port in use; 0 before the start. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Listens; rejects when the port is taken. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host ?? '0.0.0.0', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** Closes, open requests included. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { metrics, status } = this.#options;
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return sendJson(response, 405, { error: 'use GET' });
    const path = (request.url ?? '/').split('?', 1)[0];
    if (path === '/healthz') return sendJson(response, 200, { alive: true });
    if (path === '/readyz') return this.#readiness(response);
    if (path === '/metrics' && metrics) {
      const body = await metrics.metrics();
      response.writeHead(200, { 'content-type': metrics.contentType }).end(body);
      return;
    }
    if (path === '/status' && status) return sendJson(response, 200, await status());
    sendJson(response, 404, { error: 'there are /healthz, /readyz, /metrics and /status' });
  }

  #readiness(response: ServerResponse): void {
    let checks: Record<string, true | string>;
    try {
      checks = this.#options.ready?.() ?? {};
    } catch (error) {
      checks = { checks: String(error) };
    }
    const isReady = Object.values(checks).every((check) => check === true);
    sendJson(response, isReady ? 200 : 503, { ready: isReady, checks });
  }
}

function sendJson(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}
