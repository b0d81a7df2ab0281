import { Passes, passHash } from '@evenkeel/access';
import { describe, expect, it } from 'vitest';
import { heldAt, PassIssuer } from './pass-issuer.js';

const secrets = ['a secret of more than sixteen bytes'];
const passes = new Passes(secrets);

describe('the passes of a gateway', () => {
  it('end with the token, by the clock that gateways share, and at an edge by that edge’s', () => {
    const identity = { uid: 'alice', token: { grants: { publish: ['a.#'] }, expiresAtMs: 160_000 } };
    const issued = new PassIssuer(secrets, () => 100_000).issue(identity, 2_000);
    if (issued === undefined) throw new Error('no pass');
    const hold = { hash: passHash(issued.pass), exp: 62_000, rev: 2_000 };
    expect(issued.hold).toEqual(hold);
    const grants = { publish: ['a.#'] };
    expect(passes.check(issued.pass, 'alice')).toEqual({ hold, grants, byDefault: 'claim' });
    expect(heldAt(hold, { edgeNowMs: 5_000, meshNowMs: 2_000 })).toEqual({ ...hold, exp: 65_000 });
  });

  it('count in the order in which they were issued, also within a millisecond and when the clock goes back', () => {
    const issuer = new PassIssuer(secrets, () => 0);
    const identity = { uid: 'alice', token: { grants: undefined, expiresAtMs: 9 } };
    const revs = [2_000, 2_000, 1_990, 2_500].map((meshNowMs) => issuer.issue(identity, meshNowMs)?.hold.rev);
    expect(revs).toEqual([2_000, 2_001, 2_002, 2_500]);
  });

  it('count before the one that they replace, though a gateway whose clock is ahead has issued it', () => {
    const issuer = new PassIssuer(secrets, () => 0);
    const identity = { uid: 'alice', token: { grants: undefined, expiresAtMs: 9 } };
    expect(issuer.issue(identity, 2_000, 7_000)?.hold.rev).toBe(7_001);
    expect(issuer.issue(identity, 2_000, 1e15)?.hold.rev).toBe(2_001);
  });

  it('are none in development mode', () => {
    expect(new PassIssuer(secrets, () => 0).issue({ uid: 'alice' }, 2_000)).toBeUndefined();
  });

  it('of grants that are too long are refused as credentials that cannot be used', () => {
    const grants = { publish: Array.from({ length: 64 }, (_, i) => `${'x'.repeat(190)}.${i}`) };
    const identity = { uid: 'alice', token: { grants, expiresAtMs: 9 } };
    expect(() => new PassIssuer(secrets, () => 0).issue(identity, 2_000)).toThrow(
      expect.objectContaining({ code: 'bad-credentials', message: expect.stringContaining('`evenkeel`') }),
    );
  });
});
