import type { Placement } from '@evenkeel/protocol/wire';
import { ClientError } from '../errors.js';
import type { PlacementQuery } from '../options.js';
import { retryAfterMs } from './retry-after.js';

/** A refused look-up: when to try again, or not at all. */
export class LookupError extends ClientError {
  readonly status: number;
  /** At least this long, ms; undefined: back off. */
  readonly retryInMs: number | undefined;
  constructor(status: number, code: string, message: string, retryInMs: number | undefined) {
    super(code, message);
    this.name = 'LookupError';
    this.status = status;
    this.retryInMs = retryInMs;
  }
}

/** `GET {gateway}/gateway`. */
export async function lookUp(
  gateway: string,
  request: typeof fetch,
  query: PlacementQuery,
  random: () => number,
  credentials: RequestCredentials | undefined,
): Promise<Placement> {
  const parameters = new URLSearchParams();
  if (query.session) parameters.set('session', query.session);
  if (query.from.length > 0) parameters.set('from', query.from.join(','));
  if (query.user !== undefined) parameters.set('user', query.user);
  const response = await request(`${gateway.replace(/\/+$/, '')}/gateway?${parameters}`, {
    signal: query.signal,
    cache: 'no-store',
    ...(credentials && { credentials }),
    ...(query.token !== undefined && { headers: { authorization: `Bearer ${query.token}` } }),
  });
  if (response.ok) return (await response.json()) as Placement;
  const body = (await response.json().catch(() => undefined)) as {
    error?: { code?: string; message?: string };
  };
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  throw new LookupError(
    response.status,
    body?.error?.code ?? `http-${response.status}`,
    body?.error?.message ?? `the gateway answered ${response.status}`,
    seconds >= 0 ? retryAfterMs(seconds, random) : undefined,
  );
}
