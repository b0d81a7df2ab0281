import { describe, expect, it } from 'vitest';
import { identityOf } from './claims.js';

const nowMs = 1_000_000_000;
const now = nowMs / 1_000;
const good = { sub: 'alice', iat: now - 10, exp: now + 60 };
const refusal = (claims: Record<string, unknown>, maxAgeSeconds?: number) => () =>
  identityOf(claims, nowMs, maxAgeSeconds);

describe('a token', () => {
  it('counts until its exp, and without the claim evenkeel narrows nothing', () => {
    expect(identityOf(good, nowMs, undefined)).toEqual({
      uid: 'alice',
      token: { grants: undefined, expiresAtMs: nowMs + 60_000 },
    });
  });

  it('gives the grants of its claim evenkeel', () => {
    const evenkeel = { subscribe: ['room.42.#'] };
    expect(identityOf({ ...good, evenkeel }, nowMs, undefined).token?.grants).toEqual(evenkeel);
  });

  it.each([
    ['has no exp', { exp: undefined }, 'no `exp`'],
    ['has an exp that is no time', { exp: 1e308 }, '`exp` of the token is no time'],
    ['was issued in the future', { iat: now + 6 }, '`iat` of the token is in the future'],
    ['was issued at no time', { iat: Number.POSITIVE_INFINITY }, '`iat`'],
    ['has no sub', { sub: undefined }, 'no `sub`'],
    ['has a claim evenkeel that is none', { evenkeel: ['room.#'] }, 'the claim `evenkeel`'],
    ['has too many patterns', { evenkeel: { publish: Array(65).fill('a') } }, 'the claim `evenkeel.publish`'],
  ])('that %s is refused, and told why', (_, claims, message) => {
    expect(refusal({ ...good, ...claims })).toThrow(
      expect.objectContaining({ code: 'bad-credentials', message: expect.stringContaining(message) }),
    );
  });

  it('of an issuer whose clock is a few seconds ahead is taken', () => {
    expect(identityOf({ ...good, iat: now + 5 }, nowMs, undefined).uid).toBe('alice');
  });

  describe('where its age is limited', () => {
    it('counts until that age, or until its exp where that is sooner', () => {
      expect(identityOf(good, nowMs, 30).token?.expiresAtMs).toBe(nowMs + 20_000);
      expect(identityOf(good, nowMs, 3_600).token?.expiresAtMs).toBe(nowMs + 60_000);
    });

    it('is refused when it is older, or does not say', () => {
      expect(refusal({ ...good, iat: now - 40 }, 30)).toThrow('older than 30 s');
      expect(refusal({ ...good, iat: undefined }, 30)).toThrow('no `iat`');
    });
  });
});
