import { readFile } from 'node:fs/promises';
import { wallNow } from '@evenkeel/pace';
import {
  createLocalJWKSet,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import type { GatewayConfig } from '../config.js';
import { clockToleranceSeconds, identityOf } from './claims.js';
import { AuthError, type Credentials, type Identity } from './credentials.js';
import { KeysUnavailableError, RemoteKeySet } from './key-set.js';
import { tokenCookie, tokenOf } from './token.js';

const asymmetric = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** Users by JSON Web Tokens, signed with a shared secret or with a key of a set. */
export class JwtAuthentication {
  readonly #jwksUrl: string | undefined;
  readonly #secret: Uint8Array;
  readonly #options: JWTVerifyOptions;
  readonly #maxAgeSeconds: number | undefined;
  readonly #onKeysFailed: (error: unknown) => void;
  #keySet: JWTVerifyGetKey | undefined;

  /** `onKeysFailed`: the key set cannot be fetched at present. */
  constructor(
    config: Pick<GatewayConfig, 'jwtSecret' | 'jwksUrl' | 'jwtIssuer' | 'jwtAudience' | 'jwtMaxAgeS'>,
    onKeysFailed: (error: unknown) => void = () => {},
  ) {
    this.#onKeysFailed = onKeysFailed;
    const { jwtSecret, jwksUrl, jwtIssuer: issuer, jwtAudience: audience } = config;
    this.#jwksUrl = jwksUrl;
    this.#maxAgeSeconds = config.jwtMaxAgeS;
    this.#secret = new TextEncoder().encode(jwtSecret ?? '');
    this.#options = {
      clockTolerance: clockToleranceSeconds,
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    };
  }

  /** Reads the key set, where it is a file. @throws Error when it cannot be read. */
  async start(): Promise<void> {
    if (this.#jwksUrl !== undefined)
      this.#keySet = await loadKeySet(new URL(this.#jwksUrl), this.#onKeysFailed);
  }

  async authenticate(credentials: Credentials): Promise<Identity> {
    const token = tokenOf(credentials);
    if (token === undefined) {
      const how = `send Authorization: Bearer <token>, or the cookie ${tokenCookie}`;
      const isNone = credentials.authorization === undefined;
      const why =
        credentials.user === undefined ? '' : '; a user id without a token counts in development mode only';
      throw isNone
        ? new AuthError('no-credentials', how + why)
        : new AuthError('bad-credentials', `Authorization is not Bearer and one token; ${how}`);
    }
    return identityOf(await this.#verified(token), wallNow(), this.#maxAgeSeconds);
  }

  async #verified(token: string): Promise<JWTPayload> {
    try {
      // The kind of key decides which algorithms count, never the token alone: a public key must not be
      // taken for an HMAC secret.
      const { payload } =
        this.#keySet !== undefined
          ? await jwtVerify(token, this.#keySet, { ...this.#options, algorithms: asymmetric })
          : await jwtVerify(token, this.#secret, { ...this.#options, algorithms: ['HS256'] });
      return payload;
    } catch (cause) {
      if (cause instanceof KeysUnavailableError)
        throw new AuthError('keys-unavailable', cause.message, cause);
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new AuthError('bad-credentials', `the token is not accepted (${why}); get a new one`, cause);
    }
  }
}

async function loadKeySet(url: URL, onFailed: (error: unknown) => void): Promise<JWTVerifyGetKey> {
  if (url.protocol !== 'file:') return new RemoteKeySet(url, { onFailed }).keyOf;
  return createLocalJWKSet(JSON.parse(await readFile(url, 'utf8')) as JSONWebKeySet);
}
