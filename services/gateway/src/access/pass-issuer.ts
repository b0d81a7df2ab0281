import { GrantsError, Passes } from '@evenkeel/access';
import type { PassHold } from '@evenkeel/protocol';
import { AuthError, type Identity } from '../auth/credentials.js';
import type { Times } from '../placement/placer.js';

/** How far the clocks of gateways are apart at most, ms. */
const maxAheadMs = 86_400_000;

/** Issues the passes of one gateway: a later one counts before an earlier one, also within a millisecond. */
export class PassIssuer {
  readonly #passes: Passes;
  readonly #wallNow: () => number;
  #lastRev = 0;

  /** `wallNow`: of the host, by which tokens expire, ms since the epoch. */
  constructor(secrets: readonly string[], wallNow: () => number) {
    this.#passes = new Passes(secrets);
    this.#wallNow = wallNow;
  }

  /**
   * Undefined: nothing limits what this user may do, nor for how long. `meshNowMs`: the time that gateways share. `after`: the
   * `rev` of the pass that it replaces.
   * @throws AuthError
   */
  issue(
    { uid, token }: Identity,
    meshNowMs: number,
    after = 0,
  ): { pass: string; hold: PassHold } | undefined {
    if (token === undefined) return undefined;
    const exp = meshNowMs + Math.max(0, Math.round(token.expiresAtMs - this.#wallNow()));
    this.#lastRev = Math.max(this.#lastRev + 1, meshNowMs);
    // One of another gateway may be ahead, by its clock; what somebody makes up is not taken for a time.
    const isNear = after - meshNowMs < maxAheadMs;
    const rev = isNear ? Math.max(this.#lastRev, after + 1) : this.#lastRev;
    try {
      return this.#passes.issue({ uid, grants: token.grants, exp, rev });
    } catch (cause) {
      if (cause instanceof GrantsError) throw new AuthError('bad-credentials', cause.message, cause);
      throw cause;
    }
  }
}

/** A pass as it is held at an edge: it ends by that one's clock. */
export function heldAt(hold: PassHold, { edgeNowMs, meshNowMs }: Times): PassHold {
  return { ...hold, exp: hold.exp + edgeNowMs - meshNowMs };
}
