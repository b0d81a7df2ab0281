import type { IncomingHttpHeaders } from 'node:http';
import { type Origins, originRefused } from '../origins.js';
import { Refusal } from './answer.js';

const shared = {
  'access-control-allow-methods': 'GET, HEAD, OPTIONS',
  'access-control-allow-headers': 'authorization, traceparent, tracestate',
  'access-control-expose-headers': 'retry-after',
  'access-control-max-age': '600',
} as const;

/**
 * Headers that let pages of other origins ask. Any page may: without cookies, since browsers send none along with `*`. A
 * list: these, with cookies; another gets no header.
 */
export function corsHeaders(origins: Origins, origin: string | undefined): Record<string, string> {
  if (origins.isOpen) return { 'access-control-allow-origin': '*', ...shared };
  if (origin === undefined || !origins.lists(origin)) return { vary: 'origin' };
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    vary: 'origin',
    ...shared,
  };
}

/** The answer to a page that may not ask at all. */
export function originRefusal(origins: Origins, { origin }: IncomingHttpHeaders): Refusal | undefined {
  return origins.takes(origin) ? undefined : new Refusal(403, originRefused.code, originRefused.message);
}

/**
 * The answer to what a page of another site has its browser ask with the user's cookie: only a listed one may. A program sends
 * none of these headers, and its cookie is its own.
 */
export function cookieRefusal(origins: Origins, headers: IncomingHttpHeaders): Refusal | undefined {
  const { authorization, cookie, origin, 'sec-fetch-site': site } = headers;
  if (authorization !== undefined || cookie === undefined || origins.lists(origin)) return undefined;
  const isForeign = site === undefined ? origin !== undefined : site !== 'same-origin' && site !== 'none';
  if (!isForeign) return undefined;
  return new Refusal(
    403,
    'cookie-refused',
    'a page of another origin may not use the cookie; list its origin in EVENKEEL_ORIGINS, or send Authorization',
  );
}
