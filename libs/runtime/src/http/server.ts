import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { addressKey, clientAddress } from '../client-address.js';
import type { Log } from '../log.js';
import type { Origins } from '../origins.js';
import { bareHost } from '../settings.js';
import type { CertificateWatch } from '../tls/certificate-watch.js';
import { AddressCounts } from './address-counts.js';
import { Refusal, securityHeaders, sendRefusal } from './answer.js';
import { corsHeaders, originRefusal } from './cors.js';
import type { Refused } from './refusal-log.js';
import type { RequestLimits } from './request-limits.js';
import type { Route } from './route.js';

export interface HttpOptions {
  host: string;
  port: number;
  /** With it clients are served by TLS. */
  certificates?: CertificateWatch | undefined;
  /** Which pages may ask. */
  origins: Origins;
  /** Proxies in front whose word on the client's address counts. */
  trustedHops: number;
  limits: Pick<RequestLimits, 'address' | 'isLimited'>;
  /** Connections of one address at the same time; more are closed at once. Proxies in front are not limited. */
  addressConnections: number;
  /** A connection was closed because its address has too many, or a page was refused for its origin. */
  onRejected: (reason: 'connections' | 'origin') => void;
  /** Somebody is not served. */
  onRefused?: (refused: Refused) => void;
  /** A request to a path that clients ask was answered so long after it came, ms. */
  onAnswered?: (status: number, tookMs: number) => void;
  now: () => number;
  /** What is said of a path that no route has, and of a fault of ours. */
  texts: { readonly notFound: string; readonly failed: string };
  /** How a refusal is answered. Default: JSON with `error`. */
  refuse?: typeof sendRefusal;
  /** The first that has a path answers for it. */
  routes: readonly Route[];
  log: Log;
}

/** Longest request line and headers together, bytes; more is answered 431. */
const maxHeaderBytes = 16_384;
/** Longest URL, characters; more is answered 400 (a 10 KB user id is read and refused as such). */
const maxUrlChars = 14_000;
const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
/** A TLS handshake takes no longer. */
const handshakeTimeoutMs = 5_000;
/** Over the 60 s that load balancers usually keep connections. */
const keepAliveTimeoutMs = 65_000;
/** Connections at the same time; more are closed at once. */
const maxConnections = 20_000;
/** What a route does not read of a body is not waited for: if it is longer, or of unknown length, its connection is closed. */
const maxBodyBytes = 262_144;

const serverOptions = {
  maxHeaderSize: maxHeaderBytes,
  headersTimeout: headersTimeoutMs,
  requestTimeout: requestTimeoutMs,
  handshakeTimeout: handshakeTimeoutMs,
  keepAliveTimeout: keepAliveTimeoutMs,
  // Node looks every 30 s unless told, which would make the timeouts above as long.
  connectionsCheckingInterval: 1_000,
};

/** The public HTTP server of a service: its limits and what every answer carries; its routes answer. */
export class HttpServer {
  readonly #options: HttpOptions;
  readonly #server: Server | TlsServer;
  readonly #perAddress: AddressCounts;
  #isStopping = false;

  constructor(options: HttpOptions) {
    this.#options = options;
    const answer = (request: IncomingMessage, response: ServerResponse) =>
      void this.#answer(request, response);
    this.#server =
      options.certificates === undefined
        ? createServer(serverOptions, answer)
        : createTlsServer(serverOptions, answer);
    this.#server.maxConnections = maxConnections;
    this.#perAddress = new AddressCounts(options.addressConnections);
    this.#server.on('connection', (socket) => this.#count(socket));
  }

  get port(): number {
    const address = this.#server.address() as AddressInfo | null;
    return address?.port ?? 0;
  }

  start(): Promise<void> {
    const { host, port, certificates } = this.#options;
    const server = this.#server;
    if (certificates !== undefined && 'setSecureContext' in server) {
      server.setSecureContext(certificates.read());
      // Whoever is connected stays; the next handshake has the new one.
      certificates.watch((certificate) => server.setSecureContext(certificate));
    }
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, bareHost(host), () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** Stops listening, answers what has been asked, closes the idle connections. */
  stop(): Promise<void> {
    this.#isStopping = true;
    this.#options.certificates?.stop();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
      setTimeout(() => this.#server.closeAllConnections(), 2_000).unref();
    });
  }

  #count(socket: Socket): void {
    const { limits, trustedHops, onRejected, onRefused } = this.#options;
    const address = clientAddress({ socket: socket.remoteAddress ?? '' }, 0);
    // Behind proxies all connections are theirs.
    if (trustedHops > 0 || !limits.isLimited(address)) return;
    const key = addressKey(address);
    if (!this.#perAddress.add(key)) {
      onRejected('connections');
      onRefused?.({ reason: 'too-many-connections', address });
      socket.destroy();
      return;
    }
    socket.once('close', () => this.#perAddress.remove(key));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origins, limits, log, now, onAnswered, onRefused, onRejected, routes } = this.#options;
    const { refuse = sendRefusal } = this.#options;
    const cameMs = now();
    const address = this.#addressOf(request);
    if (this.#isStopping || hasLongBody(request)) response.setHeader('connection', 'close');
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    const url = parseUrl(request.url);
    const path = url instanceof URL ? url.pathname : undefined;
    const route = path === undefined ? undefined : routes.find((each) => each.has(path));
    // What only this gateway's own page may ask lets no other page read.
    if (route?.isShared !== false) {
      for (const [name, value] of Object.entries(corsHeaders(origins, request.headers.origin)))
        response.setHeader(name, value);
    }
    try {
      // Before anything that costs: whoever asks too often is answered by this alone. A preflight costs no more than that, and a
      // page whose preflight is refused cannot read when to come back.
      if (route?.isFree !== true && request.method !== 'OPTIONS') limits.address(address, now());
      const refusal = route?.isShared === true ? originRefusal(origins, request.headers) : undefined;
      if (refusal !== undefined) {
        onRejected('origin');
        throw refusal;
      }
      if (url instanceof Refusal) throw url;
      if (route === undefined) throw new Refusal(404, 'not-found', this.#options.texts.notFound);
      await dispatch(route, { request, response, url, address });
    } catch (error) {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      if (error instanceof Refusal) {
        refuse(response, error);
        const { code: reason, status, message: said, about } = error;
        onRefused?.({ reason, status, said, address, path, ...about });
        return;
      }
      log.error({ err: error, address }, 'request failed');
      refuse(response, new Refusal(500, 'internal', this.#options.texts.failed));
    } finally {
      log.debug({ path, status: response.statusCode, address }, 'answered');
      if (route?.isShared === true) onAnswered?.(response.statusCode, now() - cameMs);
      // What a route has not read of a body is not waited for.
      if (!request.complete) request.resume();
    }
  }

  #addressOf({ headers, socket }: IncomingMessage): string {
    const way = {
      socket: socket.remoteAddress ?? '',
      forwardedFor: joined(headers['x-forwarded-for']),
      forwarded: headers.forwarded,
    };
    return clientAddress(way, this.#options.trustedHops);
  }
}

function hasLongBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > maxBodyBytes;
}

/** The lines of a header, joined as Node does. */
const joined = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join() : header;

interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** Of the client. */
  readonly address: string;
}

async function dispatch(route: Route, { request, response, url, address }: Asked): Promise<void> {
  const methods = route.methods(url.pathname);
  const allow = [...methods, 'OPTIONS'].join(', ');
  if (request.method === 'OPTIONS') response.writeHead(204, { allow, 'content-length': 0 }).end();
  else if (methods.includes(request.method ?? '')) await route.answer(request, response, url, address);
  else throw new Refusal(405, 'method-not-allowed', `use ${methods[0]}`, { allow });
}

function parseUrl(target: string | undefined): URL | Refusal {
  if (target === undefined || target.length > maxUrlChars) {
    return new Refusal(400, 'bad-url', `the URL is longer than ${maxUrlChars} characters; shorten it`);
  }
  try {
    return new URL(target, 'http://service');
  } catch {
    return new Refusal(400, 'bad-url', 'the URL cannot be read');
  }
}
