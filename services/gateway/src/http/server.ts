import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '@evenkeel/runtime';
import { type GatewayRoute, placement } from '../routes/gateway.js';
import type { LocalRoutes } from '../routes/local.js';
import type { Page } from '../routes/page.js';
import { Refusal, sendJson, sendRefusal } from './answer.js';
import type { Cors } from './cors.js';

export interface HttpOptions {
  host: string;
  port: number;
  cors: Cors;
  route: GatewayRoute;
  /** Served at `/` in development mode. */
  page: Page | undefined;
  /** What the page asks, in development mode. */
  local: LocalRoutes | undefined;
  log: Log;
}

/** Longest request line and headers together, bytes; more is answered 431. */
const maxHeaderBytes = 16_384;
/** Longest URL, characters; more is answered 400 (a 10 KB user id is read and refused as such). */
const maxUrlChars = 14_000;
const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
/** Over the 60 s that load balancers usually keep connections. */
const keepAliveTimeoutMs = 65_000;
/** Connections at the same time; more are closed at once. */
const maxConnections = 20_000;

/** The gateway's public HTTP server. */
export class HttpServer {
  readonly #options: HttpOptions;
  readonly #server: Server;
  #isStopping = false;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#server = createServer(
      {
        maxHeaderSize: maxHeaderBytes,
        headersTimeout: headersTimeoutMs,
        requestTimeout: requestTimeoutMs,
        keepAliveTimeout: keepAliveTimeoutMs,
        // Node looks every 30 s unless told, which would make the timeouts above as long.
        connectionsCheckingInterval: 1_000,
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = maxConnections;
  }

  get port(): number {
    const address = this.#server.address() as AddressInfo | null;
    return address?.port ?? 0;
  }

  start(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** Stops listening, answers what has been asked, closes the idle connections. */
  stop(): Promise<void> {
    this.#isStopping = true;
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
      setTimeout(() => this.#server.closeAllConnections(), 2_000).unref();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // What only this gateway's own page may ask lets no other page read.
    if (this.#options.local?.has(pathOf(request.url)) !== true) {
      for (const [name, value] of Object.entries(this.#options.cors(request.headers.origin))) {
        response.setHeader(name, value);
      }
    }
    if (this.#isStopping) response.setHeader('connection', 'close');
    try {
      await this.#route(request, response);
    } catch (error) {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      if (error instanceof Refusal) {
        sendRefusal(response, error);
        return;
      }
      this.#options.log.error({ err: error }, 'request failed');
      sendRefusal(response, new Refusal(500, 'internal', 'the gateway failed; try again'));
    } finally {
      // Nothing here reads a body: what comes of one is not waited for.
      if (!request.complete) request.resume();
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { local, page, route } = this.#options;
    const url = parseUrl(request.url);
    if (local?.has(url.pathname)) {
      await local.answer(request, response, url);
      return;
    }
    const isGateway = url.pathname === '/gateway';
    if (!isGateway && !page?.has(url.pathname)) {
      throw new Refusal(404, 'not-found', 'there is GET /gateway');
    }
    if (request.method === 'OPTIONS') {
      response.writeHead(204, { allow: 'GET, HEAD, OPTIONS', 'content-length': 0 }).end();
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new Refusal(405, 'method-not-allowed', 'use GET', { allow: 'GET, HEAD, OPTIONS' });
    }
    // A HEAD must not use up a slot: whoever sends it does not want a ticket.
    if (isGateway && request.method === 'HEAD') sendJson(response, 200, {});
    else if (isGateway) sendJson(response, 200, await placement(route, request, url.searchParams));
    else await page?.send(url.pathname, response);
  }
}

function pathOf(target: string | undefined): string {
  return target?.split('?', 1)[0] ?? '';
}

function parseUrl(target: string | undefined): URL {
  if (target === undefined || target.length > maxUrlChars) {
    throw new Refusal(400, 'bad-url', `the URL is longer than ${maxUrlChars} characters; shorten it`);
  }
  try {
    return new URL(target, 'http://gateway');
  } catch {
    throw new Refusal(400, 'bad-url', 'the URL cannot be read');
  }
}
