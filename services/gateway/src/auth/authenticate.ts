import { readFile } from 'node:fs/promises';
import { NameError, toUid } from '@evenkeel/protocol';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import type { GatewayConfig } from '../config.js';

/** What a request carries that says who is asking. */
export interface Credentials {
  authorization: string | undefined;
  cookie: string | undefined;
  /** `?user=`, believed in development mode only. */
  user: string | undefined;
}

/** Thrown when it is not known who is asking. */
export class AuthError extends Error {
  readonly code: 'no-credentials' | 'bad-credentials' | 'bad-user-id';
  constructor(code: AuthError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'AuthError';
    this.code = code;
  }
}

/** Resolves to the carried form of the user id. @throws AuthError */
export type Authenticate = (credentials: Credentials) => Promise<string>;

export const tokenCookie = 'evenkeel_token';

/** The authentication that the settings ask for. @throws Error when `auth=jwt` has no key. */
export async function createAuthenticate(config: GatewayConfig): Promise<Authenticate> {
  if (config.auth === 'dev') return async ({ user }) => uidOf(user, 'give ?user=<id>');
  if (config.auth === 'off') {
    return async () => {
      throw new AuthError('no-credentials', 'this gateway lets nobody in; set EVENKEEL_AUTH to jwt (or dev)');
    };
  }
  const verify = await createVerify(config);
  return async ({ authorization, cookie }) => {
    const token = bearer(authorization) ?? cookieValue(cookie, tokenCookie);
    if (token === undefined) {
      throw new AuthError(
        'no-credentials',
        `send Authorization: Bearer <token>, or the cookie ${tokenCookie}`,
      );
    }
    return uidOf(await verify(token), 'the token has no `sub` with the user id');
  };
}

async function createVerify(config: GatewayConfig): Promise<(token: string) => Promise<string | undefined>> {
  const options: JWTVerifyOptions = {
    clockTolerance: 5,
    ...(config.jwtIssuer === undefined ? {} : { issuer: config.jwtIssuer }),
    ...(config.jwtAudience === undefined ? {} : { audience: config.jwtAudience }),
  };
  const secret = config.jwtSecret === undefined ? undefined : new TextEncoder().encode(config.jwtSecret);
  const keySet = config.jwksUrl === undefined ? undefined : await loadKeySet(config.jwksUrl);
  if (secret === undefined && keySet === undefined) {
    throw new Error('EVENKEEL_AUTH is jwt: set EVENKEEL_JWT_SECRET or EVENKEEL_JWKS_URL too');
  }
  return async (token) => {
    try {
      // The kind of key decides which algorithms count, never the token alone: a public key must not be
      // taken for an HMAC secret.
      const { payload } =
        keySet !== undefined
          ? await jwtVerify(token, keySet, { ...options, algorithms: asymmetric })
          : await jwtVerify(token, secret ?? new Uint8Array(), { ...options, algorithms: ['HS256'] });
      return payload.sub;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new AuthError('bad-credentials', `the token is not accepted (${why}); get a new one`, cause);
    }
  };
}

const asymmetric = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

async function loadKeySet(url: string): Promise<JWTVerifyGetKey> {
  const parsed = new URL(url);
  if (parsed.protocol !== 'file:') return createRemoteJWKSet(parsed);
  return createLocalJWKSet(JSON.parse(await readFile(parsed, 'utf8')) as JSONWebKeySet);
}

function uidOf(user: string | undefined, missing: string): string {
  if (user === undefined) throw new AuthError('no-credentials', missing);
  try {
    return toUid(user);
  } catch (cause) {
    if (!(cause instanceof NameError)) throw cause;
    throw new AuthError('bad-user-id', cause.message, cause);
  }
}

function bearer(authorization: string | undefined): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(authorization ?? '')?.[1];
}

function cookieValue(cookie: string | undefined, name: string): string | undefined {
  for (const part of cookie?.split(';') ?? []) {
    const equals = part.indexOf('=');
    if (part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
  }
  return undefined;
}
