import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { KeysUnavailableError, RemoteKeySet } from './key-set.js';

const url = new URL('https://issuer.example/keys');

async function keyPair(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const token = () =>
    new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey);
  return { jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' }, token: await token() };
}

/** An issuer that may be away, and a clock. */
function issuer(keys: readonly object[]) {
  const state = { keys, isAway: false, fetches: 0, failures: 0, nowMs: 0 };
  const set = new RemoteKeySet(url, {
    fetchKeys: async () => {
      state.fetches += 1;
      if (state.isAway) throw new Error('ECONNREFUSED');
      return { keys: state.keys };
    },
    nowMs: () => state.nowMs,
    onFailed: () => {
      state.failures += 1;
    },
  });
  const userOf = async (token: string) => (await jwtVerify(token, set.keyOf)).payload.sub;
  return { state, userOf };
}

describe('the keys of an issuer', () => {
  it('go on counting for a day while it is away', async () => {
    const first = await keyPair('k1');
    const { state, userOf } = issuer([first.jwk]);
    expect(await userOf(first.token)).toBe('alice');
    state.isAway = true;
    for (const hours of [1, 12, 23.9]) {
      state.nowMs = hours * 3_600_000;
      expect(await userOf(first.token)).toBe('alice');
    }
    state.nowMs = 25 * 3_600_000;
    await expect(userOf(first.token)).rejects.toBeInstanceOf(KeysUnavailableError);
    state.isAway = false;
    state.nowMs += 10_000;
    expect(await userOf(first.token)).toBe('alice');
  });

  it('are unknown, which is not to say that a token is bad, while it has not been reached', async () => {
    const first = await keyPair('k1');
    const { state, userOf } = issuer([first.jwk]);
    state.isAway = true;
    await expect(userOf(first.token)).rejects.toBeInstanceOf(KeysUnavailableError);
    await expect(userOf(first.token)).rejects.toBeInstanceOf(KeysUnavailableError);
    // However many ask, it is not asked at once again.
    expect(state).toMatchObject({ fetches: 1, failures: 1 });
    state.isAway = false;
    state.nowMs = 6_000;
    expect(await userOf(first.token)).toBe('alice');
  });

  it('are fetched again for a key that is new, and a token of none of them is bad only if that has succeeded', async () => {
    const [first, second, third] = [await keyPair('k1'), await keyPair('k2'), await keyPair('k3')];
    const { state, userOf } = issuer([first.jwk]);
    await userOf(first.token);
    state.keys = [first.jwk, second.jwk];
    state.nowMs = 31_000;
    expect(await userOf(second.token)).toBe('alice');
    await expect(userOf(third.token)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    expect(state.fetches).toBe(2);
    state.isAway = true;
    state.nowMs = 62_000;
    await expect(userOf(third.token)).rejects.toBeInstanceOf(KeysUnavailableError);
    expect(await userOf(first.token)).toBe('alice');
  });
});
