import type { IncomingMessage, ServerResponse } from 'node:http';
import { isNodeName, isSid, type Placement } from '@evenkeel/protocol';
import type { TicketSigner } from '@evenkeel/ticket';
import { AuthError, type Credentials } from '../auth/credentials.js';
import { Refusal, sendJson } from '../http/answer.js';
import type { Route } from '../http/route.js';
import type { RequestLimits } from '../limits/request-limits.js';
import type { GatewayMetrics } from '../metrics.js';
import type { Placer } from '../placement/placer.js';
import type { TurnedAway } from './turned-away.js';

export interface GatewayRouteOptions {
  /** Resolves to the carried form of the user id. @throws AuthError */
  authenticate(credentials: Credentials): Promise<string>;
  placer: Placer;
  limits: Pick<RequestLimits, 'user'>;
  signer: TicketSigner;
  ticketLifetimeMs: number;
  metrics: GatewayMetrics;
  turnedAway: TurnedAway;
  now(): number;
}

/** Nodes that `from` and `tried` may each name; a client has had to do with two or three at most. */
const maxNamed = 8;

/** When the key set of the issuer is tried again. */
const keysRetrySeconds = '5';

const refusals = {
  none: 'no edge takes clients now; come back after Retry-After seconds',
  full: 'every edge is at capacity; come back after Retry-After seconds',
  wait: 'more clients are arriving than the edges take at once; come back after Retry-After seconds',
} as const;

/** `GET /gateway` (PROTOCOL.md, section 1): places a client and gives it a ticket. */
export class GatewayRoute implements Route {
  readonly isShared = true;
  readonly #options: GatewayRouteOptions;

  constructor(options: GatewayRouteOptions) {
    this.#options = options;
  }

  has(path: string): boolean {
    return path === '/gateway';
  }

  methods(): readonly string[] {
    return ['GET', 'HEAD'];
  }

  async answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    sendJson(response, 200, (await this.#place(request, url.searchParams)) ?? {});
  }

  /** Undefined for a HEAD, which must not use up a slot: whoever sends it does not want a ticket. */
  async #place({ headers, method }: IncomingMessage, query: URLSearchParams): Promise<Placement | undefined> {
    const { placer, limits, signer, ticketLifetimeMs, metrics, turnedAway, now } = this.#options;
    const sid = sessionIn(query);
    // The nodes that may hold the session, newest first, as the ticket carries them: the edge asks each.
    const from = nodesIn(query, 'from');
    const tried = nodesIn(query, 'tried');
    const { authorization, cookie } = headers;
    const uid = await this.#identify({ authorization, cookie, user: query.get('user') ?? undefined });
    const nowMs = now();
    limits.user(uid, nowMs);
    if (method === 'HEAD') return undefined;
    const placed = placer.place({ uid, sid, from: sid === undefined ? undefined : from[0], tried }, nowMs);
    if (placed.kind === 'refused') {
      metrics.refused(placed.reason);
      turnedAway.refused(placed.reason, nowMs);
      throw new Refusal(503, `no-edge-${placed.reason}`, refusals[placed.reason], {
        'retry-after': String(placed.retryAfterSeconds),
      });
    }
    const { node, url, boot, sid: session, isNew, edgeNowMs, meshNowMs } = placed;
    metrics.placed(node);
    turnedAway.placed();
    const ticket = signer.issue({
      uid,
      sid: session,
      node,
      ...(boot === undefined ? {} : { boot }),
      // The one that wins is the later one, whichever gateways they are of.
      epoch: meshNowMs,
      expiresAt: edgeNowMs + ticketLifetimeMs,
      ...(isNew ? { isNew } : {}),
      ...(from.length === 0 || isNew ? {} : { from: from.join(',') }),
    });
    return { url, node, ticket, session, expiresInMs: ticketLifetimeMs };
  }

  async #identify(credentials: Credentials): Promise<string> {
    try {
      return await this.#options.authenticate(credentials);
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      if (error.code === 'keys-unavailable')
        throw new Refusal(503, error.code, error.message, { 'retry-after': keysRetrySeconds });
      if (error.code === 'bad-user-id') throw new Refusal(400, error.code, error.message);
      throw new Refusal(401, error.code, error.message, { 'www-authenticate': 'Bearer realm="evenkeel"' });
    }
  }
}

function sessionIn(query: URLSearchParams): string | undefined {
  const session = query.get('session') ?? undefined;
  if (session === undefined || isSid(session)) return session;
  throw new Refusal(
    400,
    'bad-session',
    '`session` is 1 to 64 of A-Z a-z 0-9 _ -; leave it out for a new one',
  );
}

function nodesIn(query: URLSearchParams, name: 'from' | 'tried'): string[] {
  const nodes = query.get(name)?.split(',') ?? [''];
  if (nodes.length === 1 && nodes[0] === '') return [];
  if (nodes.length <= maxNamed && nodes.every(isNodeName)) return nodes;
  throw new Refusal(
    400,
    `bad-${name}`,
    `\`${name}\` is up to ${maxNamed} names of nodes separated by commas`,
  );
}
