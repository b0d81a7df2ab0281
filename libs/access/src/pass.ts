import { createHash } from 'node:crypto';
import type { PassHold } from '@evenkeel/protocol';
import { isUid } from '@evenkeel/protocol/wire';
import { type Grants, GrantsError, noGrants, readGrants } from './grants.js';
import type { Rule } from './namespaces.js';
import { readSealed, Sealed } from './sealed.js';

/** Longest pass, in characters. */
export const maxPassChars = 16_384;

export interface PassClaims {
  /** Carried form. */
  uid: string;
  /** Of the user's token; absent: it narrows nothing. */
  grants?: Grants | undefined;
  exp: number;
  rev: number;
}

/** What counts for a session. */
export interface Authority {
  /** The pass that counts; undefined: none, the session does not end by one. */
  readonly hold: PassHold | undefined;
  /** Undefined: nothing is narrowed. */
  readonly grants: Grants | undefined;
  /** The rule where the namespaces have none. */
  readonly byDefault: Rule;
}

/** Without a pass and without the need of one: development mode, and gateways of before passes. */
export const openAuthority: Authority = { hold: undefined, grants: undefined, byDefault: 'anyone' };

/** Under `hold`, with a pass that is not to hand: nothing is granted, unless there is nothing that the pass would narrow. */
export const closedAuthority = (hold: PassHold | undefined): Authority => ({
  hold,
  grants: hold?.isOpen === true ? undefined : noGrants,
  byDefault: 'claim',
});

/** What is kept of a pass: the first 16 bytes of its SHA-256. */
export const passHash = (pass: string): string =>
  createHash('sha256').update(pass).digest().subarray(0, 16).toString('base64url');

/** Of two passes of a user the one that counts, in whichever order they are given. */
export function newerPass(a: PassHold | undefined, b: PassHold | undefined): PassHold | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.rev !== b.rev) return a.rev > b.rev ? a : b;
  return a.hash >= b.hash ? a : b;
}

/** The session was held elsewhere under `other`: where that is newer, what is granted by the older one is granted no more. */
export function afterTakeover(authority: Authority, other: PassHold | undefined): Authority {
  const hold = newerPass(authority.hold, other);
  return hold === undefined || hold.hash === authority.hold?.hash ? authority : closedAuthority(hold);
}

/** Signs and checks passes. */
export class Passes {
  readonly #sealed: Sealed;

  /** @param secrets those of tickets, of which keys for passes are derived: the first signs; all are accepted */
  constructor(secrets: readonly string[]) {
    this.#sealed = new Sealed(secrets, 'evenkeel pass', maxPassChars);
  }

  /** @throws GrantsError where it would be longer than edges read */
  issue({ uid, grants, exp, rev }: PassClaims): { pass: string; hold: PassHold } {
    const pass = this.#sealed.seal({ uid, ...(grants === undefined ? {} : { grants }), exp, rev });
    if (pass === undefined) {
      throw new GrantsError(
        `the grants of the claim \`evenkeel\` make a pass of more than ${maxPassChars} characters; give fewer or shorter patterns`,
      );
    }
    return { pass, hold: holdOf(pass, { exp, rev, grants }) };
  }

  /** A pass of this user that is signed, by which nothing is narrowed but what it narrows; undefined: it is none. */
  check(pass: string, uid: string): Authority | undefined {
    const claims = this.#sealed.open(pass);
    return claims === undefined ? undefined : authorityOf(pass, claims, uid);
  }

  /**
   * What counts for a session of `uid` whose ticket holds `held`, and whose client presents `presented`. The pass of the ticket is
   * known by its hash; another one counts if it is signed, of this user and newer. Else nothing is granted under the ticket's.
   * Of the ticket's pass the ticket says until when it counts: by the clock of the edge that the ticket is for.
   */
  authority(uid: string, presented: string | undefined, held: PassHold | undefined): Authority {
    const otherwise = held === undefined ? openAuthority : closedAuthority(held);
    if (presented === undefined || presented.length > maxPassChars) return otherwise;
    if (held !== undefined && passHash(presented) === held.hash) {
      const own = authorityOf(presented, readSealed(presented) ?? {}, uid);
      return own === undefined ? otherwise : { ...own, hold: held };
    }
    const other = this.check(presented, uid);
    const isNewer = other !== undefined && (held === undefined || newerPass(held, other.hold) === other.hold);
    return isNewer ? other : otherwise;
  }
}

function holdOf(pass: string, { exp, rev, grants }: Omit<PassClaims, 'uid'>): PassHold {
  return { hash: passHash(pass), exp, rev, ...(grants === undefined ? { isOpen: true } : {}) };
}

function authorityOf(pass: string, claims: Record<string, unknown>, uid: string): Authority | undefined {
  const { exp, rev } = claims;
  if (claims.uid !== uid || !isUid(uid) || !Number.isSafeInteger(exp) || !Number.isSafeInteger(rev))
    return undefined;
  try {
    const grants = readGrants(claims.grants);
    const hold = holdOf(pass, { exp: Number(exp), rev: Number(rev), grants });
    return { hold, grants, byDefault: 'claim' };
  } catch (error) {
    if (error instanceof GrantsError) return undefined;
    throw error;
  }
}
