import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { fromUid, isNodeName, isSid, type Placement } from '@evenkeel/protocol';
import {
  cookieRefusal,
  type Log,
  type Origins,
  Refusal,
  type RequestLimits,
  type Route,
  sendJson,
} from '@evenkeel/runtime';
import type { TicketSigner } from '@evenkeel/ticket';
import { heldAt, type PassIssuer } from '../access/pass-issuer.js';
import type { Returning, Returns } from '../access/returning.js';
import { AuthError, type Credentials, type Identity } from '../auth/credentials.js';
import type { GatewayMetrics } from '../metrics.js';
import type { Placer } from '../placement/placer.js';
import type { TurnedAway } from './turned-away.js';

export interface GatewayRouteOptions {
  /** @throws AuthError */
  authenticate(credentials: Credentials): Promise<Identity>;
  cells: {
    /** Whether an operator keeps them out; `sid`: the session that is asked for. */
    denies(who: { uid: string; sid: string | undefined }): boolean;
    placerOf(uid: string): Placer;
    turnedAwayOf(uid: string): Pick<TurnedAway, 'refused' | 'placed'>;
    /** The node is of another cell than this user's. */
    isElsewhere(uid: string, node: string): boolean;
  };
  limits: Pick<RequestLimits, 'user'>;
  passes: PassIssuer;
  returns: Returns;
  /** Which pages may ask with a cookie. */
  origins: Origins;
  signer: TicketSigner;
  ticketLifetimeMs: number;
  metrics: GatewayMetrics;
  log: Pick<Log, 'debug'>;
  now(): number;
}

/** What a client asks for. */
interface Wish extends Returning {
  /** Nodes that have just failed for it. */
  readonly tried: readonly string[];
}

/** Nodes that `from` and `tried` may each name; a client has had to do with two or three at most. */
const maxNamed = 8;

/** When the issuer, or the application, is asked again. */
const outageRetrySeconds = '5';

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

  async answer(
    { headers, method }: IncomingMessage,
    response: ServerResponse,
    url: URL,
    address: string,
  ): Promise<void> {
    const wish = wishIn(url.searchParams);
    this.#requireOwnCookie(headers);
    const { authorization, cookie, origin } = headers;
    const user = url.searchParams.get('user') ?? undefined;
    const about: { user?: string; session: string | undefined } = { session: wish.sid };
    const placement = await this.#asAuthenticated(about, async () => {
      const { authenticate, limits, now } = this.#options;
      const identity = await authenticate({ authorization, cookie, user, origin, address });
      about.user = fromUid(identity.uid);
      limits.user(identity.uid, now());
      this.#refuseDenied(identity.uid, wish.sid);
      // A HEAD must not use up a slot: whoever sends it does not want a ticket.
      return method === 'HEAD' ? {} : this.#place(identity, wish);
    });
    sendJson(response, 200, placement);
  }

  #refuseDenied(uid: string, sid: string | undefined): void {
    const { cells, metrics } = this.#options;
    if (!cells.denies({ uid, sid })) return;
    metrics.rejected('denied');
    const message = 'an operator keeps this user or session out; do not come back by yourself';
    throw new Refusal(403, 'denied', message);
  }

  /** @throws Refusal */
  #requireOwnCookie(headers: IncomingHttpHeaders): void {
    const { metrics, origins } = this.#options;
    const refusal = cookieRefusal(origins, headers);
    if (refusal === undefined) return;
    metrics.rejected('cookie');
    throw refusal;
  }

  #place(identity: Identity, wish: Wish): Placement {
    const { cells, passes, returns, signer, ticketLifetimeMs, metrics, log, now } = this.#options;
    const { uid } = identity;
    const turnedAway = cells.turnedAwayOf(uid);
    const { sid, from: said, lastAt, nodes } = returns.believe(wish, identity);
    const nowMs = now();
    // An edge of another cell cannot be asked for the session, nor is it there.
    const from = said.filter((node) => !cells.isElsewhere(uid, node));
    const isFromElsewhere = from.length < said.length;
    const arrival = { uid, sid, from: lastAt, heldBy: from[0], tried: wish.tried, isFromElsewhere };
    const placed = cells.placerOf(uid).place(arrival, nowMs);
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
    log.debug({ user: fromUid(uid), session, to: node, isNew, from, tried: wish.tried }, 'placed');
    // Only now: those who are turned away, however many, are not to carry the count of passes ahead of the time.
    const issued = passes.issue(identity, meshNowMs);
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
      ...(issued === undefined ? {} : { pass: heldAt(issued.hold, placed) }),
    });
    const resume = returns.issue(uid, session, node, nodes);
    const pass = issued === undefined ? {} : { pass: issued.pass };
    return { url, node, ticket, session, expiresInMs: ticketLifetimeMs, ...pass, resume };
  }

  /** What `fn` resolves to; who is not known is refused. `about`: whom it is about, as far as that is known when it fails. */
  async #asAuthenticated<T>(about: Refusal['about'], fn: () => Promise<T>): Promise<T> {
    try {
      return await fn();
    } catch (error) {
      const refusal = this.#refusalFor(error);
      if (refusal === undefined) throw error;
      refusal.about = about;
      throw refusal;
    }
  }

  #refusalFor(error: unknown): Refusal | undefined {
    if (error instanceof Refusal) return error;
    if (!(error instanceof AuthError)) return undefined;
    this.#options.metrics.unauthenticated(error.code);
    const { code, message } = error;
    if (error.isOutage) return new Refusal(503, code, message, { 'retry-after': outageRetrySeconds });
    if (code === 'bad-user-id') return new Refusal(400, code, message);
    return new Refusal(401, code, message, { 'www-authenticate': 'Bearer realm="evenkeel"' });
  }
}

/** What a client asks for. @throws Refusal */
function wishIn(query: URLSearchParams): Wish {
  return {
    sid: sessionIn(query),
    from: nodesIn(query, 'from'),
    resume: query.get('resume') ?? undefined,
    tried: nodesIn(query, 'tried'),
  };
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
