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

/** The authentication that the settings ask for. */
export class Authentication {
  readonly #config: GatewayConfig;
  readonly #secret: Uint8Array;
  #keySet: JWTVerifyGetKey | undefined;

  constructor(config: GatewayConfig) {
    this.#config = config;
    this.#secret = new TextEncoder().encode(config.jwtSecret ?? '');
  }

  /** Reads the key set, where it is a file. @throws Error when it cannot be read. */
  async start(): Promise<void> {
    const { auth, jwksUrl } = this.#config;
    if (auth === 'jwt' && jwksUrl !== undefined) this.#keySet = await loadKeySet(jwksUrl);
  }

  async authenticate(credentials: Credentials): Promise<string> {
    const { auth } = this.#config;
    if (auth === 'dev') return uidOf(credentials.user, 'give ?user=<id>');
    if (auth === 'off') {
      throw new AuthError('no-credentials', 'this gateway lets nobody in; set EVENKEEL_AUTH to jwt (or dev)');
    }
    const token = bearer(credentials.authorization) ?? cookieValue(credentials.cookie, tokenCookie);
    if (token === undefined) {
      throw new AuthError(
        'no-credentials',
        `send Authorization: Bearer <token>, or the cookie ${tokenCookie}`,
      );
    }
    return uidOf(await this.#verify(token), 'the token has no `sub` with the user id');
  }

  async #verify(token: string): Promise<string | undefined> {
    const { jwtIssuer: issuer, jwtAudience: audience } = this.#config;
    const options: JWTVerifyOptions = {
      clockTolerance: 5,
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    };
    try {
      // The kind of key decides which algorithms count, never the token alone: a public key must not be
      // taken for an HMAC secret.
      const { payload } =
        this.#keySet !== undefined
          ? await jwtVerify(token, this.#keySet, { ...options, algorithms: asymmetric })
          : await jwtVerify(token, this.#secret, { ...options, algorithms: ['HS256'] });
      return payload.sub;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new AuthError('bad-credentials', `the token is not accepted (${why}); get a new one`, cause);
    }
  }
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
