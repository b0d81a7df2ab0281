import { monotonicNow, wallNow } from '@evenkeel/pace';
import {
  type CryptoKey,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import type { GatewayConfig } from '../config.js';
import { clockToleranceSeconds, identityOf } from './claims.js';
import { AuthError, type Credentials, type Identity } from './credentials.js';
import { KeysUnavailableError, RemoteKeySet } from './key-set.js';
import { isPemText, KeyFile, keysOfPem, keysOfSet, type VerifyingKeys } from './local-keys.js';
import { tokenCookie, tokenOf } from './token.js';

const asymmetric = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** Of {@link GatewayConfig}: one of the three that say by which keys, and what else tokens must say. */
export type JwtSettings = Partial<
  Pick<GatewayConfig, 'jwtSecret' | 'jwksUrl' | 'jwtPublicKey' | 'jwtIssuer' | 'jwtAudience' | 'jwtMaxAgeS'>
>;

/** Users by JSON Web Tokens, signed with a shared secret, or with a private key whose public one is known here. */
export class JwtAuthentication {
  readonly #secret: Uint8Array | undefined;
  readonly #file: KeyFile | undefined;
  readonly #keys: () => VerifyingKeys;
  readonly #options: JWTVerifyOptions;
  readonly #maxAgeSeconds: number | undefined;

  /** `onKeysFailed`: the keys cannot be fetched, or read again, at present. */
  constructor(
    settings: JwtSettings,
    onKeysFailed: (error: unknown) => void = () => {},
    nowMs: () => number = monotonicNow,
  ) {
    const { jwtSecret, jwtIssuer: issuer, jwtAudience: audience } = settings;
    this.#maxAgeSeconds = settings.jwtMaxAgeS;
    this.#secret = jwtSecret === undefined ? undefined : new TextEncoder().encode(jwtSecret);
    this.#options = {
      clockTolerance: clockToleranceSeconds,
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    };
    const { file, keys } = keysBy(settings, { nowMs, onFailed: onKeysFailed });
    this.#file = file;
    this.#keys = keys;
  }

  /** Reads the keys, where they are in a file. @throws Error when they cannot be read. */
  async start(): Promise<void> {
    this.#file?.read();
  }

  /** Reads the keys anew, where they are in a file; what cannot be read is reported, and those before go on counting. */
  reload(): void {
    this.#file?.reload();
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
      if (this.#secret !== undefined) {
        const { payload } = await jwtVerify(token, this.#secret, { ...this.#options, algorithms: ['HS256'] });
        return payload;
      }
      return await verifiedByOneOf(this.#keys(), token, { ...this.#options, algorithms: asymmetric });
    } catch (cause) {
      if (cause instanceof KeysUnavailableError)
        throw new AuthError('keys-unavailable', cause.message, cause);
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new AuthError('bad-credentials', `the token is not accepted (${why}); get a new one`, cause);
    }
  }
}

interface KeySource {
  readonly file?: KeyFile;
  keys(): VerifyingKeys;
}

function keysBy(
  { jwksUrl, jwtPublicKey }: JwtSettings,
  options: { nowMs(): number; onFailed(error: unknown): void },
): KeySource {
  if (jwtPublicKey !== undefined && isPemText(jwtPublicKey)) {
    const keys = keysOfPem(jwtPublicKey);
    return { keys: () => keys };
  }
  if (jwtPublicKey !== undefined) return ofFile(new KeyFile(jwtPublicKey, keysOfPem, options));
  if (jwksUrl === undefined) return { keys: () => [] };
  const url = new URL(jwksUrl);
  if (url.protocol === 'file:') return ofFile(new KeyFile(url, keysOfSet, options));
  const remote = [new RemoteKeySet(url, { onFailed: options.onFailed }).keyOf];
  return { keys: () => remote };
}

const ofFile = (file: KeyFile): KeySource => ({ file, keys: () => file.keys() });

/** Of several keys one is enough: the others are those before it and after it. */
async function verifiedByOneOf(
  keys: Iterable<VerifyingKey> | AsyncIterable<VerifyingKey>,
  token: string,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  let failure: unknown = new Error('there is no key to check it by');
  for await (const key of keys) {
    try {
      return await verifiedBy(key, token, options);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function verifiedBy(key: VerifyingKey, token: string, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    const verified = isFinder(key)
      ? await jwtVerify(token, key, options)
      : await jwtVerify(token, key, options);
    return verified.payload;
  } catch (error) {
    // The token names none of the keys of a set, and several are of its kind.
    if (error instanceof errors.JWKSMultipleMatchingKeys) return await verifiedByOneOf(error, token, options);
    throw error;
  }
}

type VerifyingKey = VerifyingKeys[number] | CryptoKey;

const isFinder = (key: VerifyingKey): key is JWTVerifyGetKey => typeof key === 'function';
