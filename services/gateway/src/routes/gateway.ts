import type { IncomingMessage } from 'node:http';
import { isNodeName, isSid, type Placement } from '@evenkeel/protocol';
import type { TicketOffice } from '@evenkeel/ticket';
import { AuthError, type Authenticate } from '../auth/authenticate.js';
import { Refusal } from '../http/answer.js';
import type { GatewayMetrics } from '../metrics.js';
import type { Placer } from '../placement/placer.js';

export interface GatewayRoute {
  authenticate: Authenticate;
  placer: Placer;
  office: TicketOffice;
  ticketLifetimeMs: number;
  metrics: GatewayMetrics;
  now(): number;
}

/** Nodes of `from` looked at; a client has had to do with two or three at most. */
const maxFrom = 8;

const refusals = {
  none: 'no edge takes clients now; come back after Retry-After seconds',
  full: 'every edge is at capacity; come back after Retry-After seconds',
  wait: 'more clients are arriving than the edges take at once; come back after Retry-After seconds',
} as const;

/** `GET /gateway` (PROTOCOL.md, section 1). @throws Refusal */
export async function placement(
  route: GatewayRoute,
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<Placement> {
  const session = query.get('session') ?? undefined;
  if (session !== undefined && !isSid(session)) {
    throw new Refusal(
      400,
      'bad-session',
      '`session` is 1 to 64 of A-Z a-z 0-9 _ -; leave it out for a new one',
    );
  }
  const from = lastNodes(query.get('from'));
  const uid = await whoIsAsking(route, request, query);
  const nowMs = route.now();
  const placed = route.placer.place(
    { uid, sid: session, from: session === undefined ? undefined : from?.split(',')[0] },
    nowMs,
  );
  if (placed.kind === 'refused') {
    route.metrics.refused(placed.reason);
    throw new Refusal(503, `no-edge-${placed.reason}`, refusals[placed.reason], {
      'retry-after': String(placed.retryAfterSeconds),
    });
  }
  route.metrics.placed(placed.node);
  const ticket = route.office.issue({
    uid,
    sid: placed.sid,
    node: placed.node,
    epoch: nowMs,
    expiresAt: nowMs + route.ticketLifetimeMs,
    ...(placed.isNew ? { isNew: true } : {}),
    ...(from === undefined || placed.isNew ? {} : { from }),
  });
  return {
    url: placed.url,
    node: placed.node,
    ticket,
    session: placed.sid,
    expiresInMs: route.ticketLifetimeMs,
  };
}

async function whoIsAsking(
  route: GatewayRoute,
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<string> {
  try {
    return await route.authenticate({
      authorization: request.headers.authorization,
      cookie: request.headers.cookie,
      user: query.get('user') ?? undefined,
    });
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    if (error.code === 'bad-user-id') throw new Refusal(400, error.code, error.message);
    throw new Refusal(401, error.code, error.message, { 'www-authenticate': 'Bearer realm="evenkeel"' });
  }
}

/** The nodes that may hold the session, newest first, as the ticket carries them: the edge asks each. */
function lastNodes(from: string | null): string | undefined {
  if (from === null || from === '') return undefined;
  const nodes = from.split(',');
  if (nodes.length > maxFrom || !nodes.every((node) => isNodeName(node))) {
    throw new Refusal(400, 'bad-from', `\`from\` is up to ${maxFrom} names of nodes separated by commas`);
  }
  return nodes.join(',');
}
