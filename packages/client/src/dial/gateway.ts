import type { Placement } from '@evenkeel/protocol/wire';
import { ClientError, reasonOf } from '../errors.js';

import type { PlacementQuery } from './options.js';
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

const field = (value: unknown, name: string): unknown =>
  (value as Record<string, unknown> | null | undefined)?.[name];

const isPlacement = (value: unknown): value is Placement =>
  ['url', 'node', 'ticket', 'session'].every((name) => typeof field(value, name) === 'string');

/** `GET {gateway}/gateway`. */
export async function lookUp(
  gateway: string,
  request: typeof fetch,
  query: PlacementQuery,
  random: () => number,
  credentials: RequestCredentials | undefined,
): Promise<Placement> {
  const parameters = new URLSearchParams();
  const { session, from, tried, user } = query;
  for (const [name, value] of Object.entries({ session, from: from.join(), tried: tried.join(), user }))
    if (value) parameters.set(name, value);
  const url = `${gateway.replace(/\/+$/, '')}/gateway`;
  const response = await request(`${url}?${parameters}`, {
    signal: query.signal,
    cache: 'no-store',
    ...(credentials && { credentials }),
    ...(query.token !== undefined && { headers: { authorization: `Bearer ${query.token}` } }),
  }).catch((error: unknown) => {
    throw new ClientError('unreachable', `${url} cannot be reached: ${reasonOf(error)}`, error);
  });
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok) {
    if (isPlacement(body)) return body;
    const message = `${url} is no gateway: ${response.status} without a placement`;
    throw new LookupError(response.status, 'bad-answer', message, undefined);
  }
  const error = field(body, 'error');
  const [code, message] = [field(error, 'code'), field(error, 'message')];
  const seconds = Number(response.headers.get('retry-after') ?? '-');
  throw new LookupError(
    response.status,
    typeof code === 'string' ? code : `http-${response.status}`,
    typeof message === 'string' ? message : `${url} answered ${response.status}; is it a gateway?`,
    seconds >= 0 ? retryAfterMs(seconds, random) : undefined,
  );
}
