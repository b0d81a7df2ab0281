import { randomBytes } from 'node:crypto';
import { jwt, nowS } from '@evenkeel/testkit';
import type { Manner } from './mesh.js';

const namespaces = 50;
const patterns = 20;
const lifetimeS = 3_600;

/**
 * Everything on that decides what a client may: tokens with a claim of many patterns, passes, and a file of many namespaces with rules
 * of every kind that edges decide alone.
 */
export function withPermissions(): Manner {
  const secret = randomBytes(32).toString('hex');
  const rules = ['anyone', 'claim', 'owner', 'nobody'] as const;
  const entries = Array.from({ length: namespaces }, (_, n) => {
    const rule = rules[n % rules.length];
    return [`space-${n}`, { subscribe: rule, publish: rule, request: rule }] as const;
  });
  const closed = { subscribe: 'nobody', publish: 'nobody', request: 'nobody' };
  const granted = Array.from({ length: patterns }, (_, n) => `space-${n}.*.#`);
  return {
    env: {
      EVENKEEL_AUTH: 'jwt',
      EVENKEEL_JWT_SECRET: secret,
      EVENKEEL_NAMESPACES: JSON.stringify({
        // What the works of a comparison use.
        namespaces: { ...Object.fromEntries(entries), compared: { subscribe: 'claim' }, '*': closed },
      }),
    },
    tokenOf: (user) =>
      jwt(
        {
          sub: user,
          iat: nowS(),
          exp: nowS() + lifetimeS,
          evenkeel: { subscribe: ['compared.#', ...granted], publish: granted, request: granted },
        },
        secret,
      ),
  };
}
