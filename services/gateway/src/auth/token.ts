import { parseCookie } from 'cookie';
import type { Credentials } from './credentials.js';

/** The cookie that a token may come in, for pages that cannot set headers. */
export const tokenCookie = 'evenkeel_token';

/** The token of a request: `Authorization: Bearer`, else the cookie; undefined without either. */
export function tokenOf({ authorization, cookie }: Credentials): string | undefined {
  return bearer(authorization) ?? (cookie === undefined ? undefined : parseCookie(cookie)[tokenCookie]);
}

function bearer(authorization: string | undefined): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(authorization ?? '')?.[1];
}
