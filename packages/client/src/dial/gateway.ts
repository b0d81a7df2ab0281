import type { Placement } from '@evenkeel/protocol/wire';
import { ClientError, reasonOf } from '../errors.js';

import type { AttemptHost } from './host.js';
import type { PlacementQuery } from './options.js';
import { retryAfterMs } from './retry-after.js';

/**
 * A refused look-up: when to try again, or not at all.
 * @example
 * client.onStatus((status) => {
 *   if (status.type === 'connect-failed' && status.cause instanceof LookupError) console.log(status.cause.message);
 * });
 */
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

type Answer = (Record<string, unknown> & { error?: Record<string, unknown> | null }) | null | undefined;

/** `GET {gateway}/gateway`. */
export async function lookUp(
  { options, random }: AttemptHost,
  { signal, token, ...query }: PlacementQuery,
): Promise<Placement> {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value?.length) parameters.set(name, `${value}`);
  const { gateway = '', credentials } = options;
  const url = `${gateway.replace(/\/+$/, '')}/gateway`;
  const response = await (options.fetch ?? fetch)(`${url}?${parameters}`, {
    signal,
    cache: 'no-store',
    credentials,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  } as RequestInit).catch((error: unknown) => {
    throw new ClientError('unreachable', `${url} cannot be reached: ${reasonOf(error)}`, error);
  });
  const { ok, status } = response;
  const body = (await response.json().catch(() => undefined)) as Answer;
  if (ok && ['url', 'node', 'ticket', 'session'].every((name) => typeof body?.[name] === 'string'))
    return body as unknown as Placement;
  const { code, message } = body?.error ?? {};
  const seconds = Number(response.headers.get('retry-after') ?? '-');
  throw new LookupError(
    status,
    typeof code === 'string' ? code : ok ? 'bad-answer' : `http-${status}`,
    typeof message === 'string' ? message : `${url} answered ${status} without a placement; is it a gateway?`,
    seconds >= 0 ? retryAfterMs(seconds, random) : undefined,
  );
}
