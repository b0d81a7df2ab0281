import { type Grants, GrantsError, readGrants } from '@evenkeel/access';
import { AuthError, type Identity, isEnd, uidOf } from './credentials.js';

/** How far the clocks of an issuer and of this host may be apart, seconds. */
export const clockToleranceSeconds = 5;

/** The claims that count here, as anybody may have written them. */
interface Claims {
  readonly sub?: unknown;
  readonly exp?: unknown;
  readonly iat?: unknown;
  readonly evenkeel?: unknown;
}

/**
 * Who is asking, by the claims of a token whose signature, issuer, audience and times have been checked.
 * @param maxAgeSeconds longest time since `iat`; undefined: `exp` alone counts
 * @throws AuthError `bad-credentials`, naming the claim
 */
export function identityOf(payload: Claims, nowMs: number, maxAgeSeconds: number | undefined): Identity {
  if (payload.sub === undefined) throw bad('the token has no `sub`; put the user id there');
  // Nobody checks the type of `sub` on the way: one that is a number would make a ticket that no edge takes.
  const uid = uidOf(payload.sub, 'bad-credentials', 'the `sub` of the token cannot be used: ');
  return { uid, token: { grants: grantsOf(payload), expiresAtMs: expiryOf(payload, nowMs, maxAgeSeconds) } };
}

function expiryOf({ exp, iat }: Claims, nowMs: number, maxAgeSeconds: number | undefined): number {
  const nowSeconds = nowMs / 1_000;
  if (exp === undefined) throw bad('the token has no `exp`; let it expire, after minutes rather than days');
  if (!isTime(exp) || !isEnd(exp * 1_000, nowMs))
    throw bad('the `exp` of the token is no time; give seconds since 1970');
  if (iat !== undefined && (!isTime(iat) || iat > nowSeconds + clockToleranceSeconds))
    throw bad('the `iat` of the token is in the future; set the clock of its issuer');
  if (maxAgeSeconds === undefined) return Math.round(exp * 1_000);
  if (iat === undefined)
    throw bad('the token has no `iat`, and this gateway limits the age of tokens; add it');
  const ends = Math.min(exp, iat + maxAgeSeconds);
  if (ends + clockToleranceSeconds <= nowSeconds)
    throw bad(`the token is older than ${maxAgeSeconds} s, which is the limit here; get a new one`);
  return Math.round(ends * 1_000);
}

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

function grantsOf({ evenkeel }: Claims): Grants | undefined {
  try {
    return readGrants(evenkeel);
  } catch (cause) {
    if (cause instanceof GrantsError) throw bad(cause.message, cause);
    throw cause;
  }
}

const bad = (message: string, cause?: unknown) => new AuthError('bad-credentials', message, cause);
