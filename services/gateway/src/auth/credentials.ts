import type { Grants } from '@evenkeel/access';
import { NameError, toUid } from '@evenkeel/protocol';

/** What a request carries that says who is asking. */
export interface Credentials {
  authorization: string | undefined;
  cookie: string | undefined;
  /** `?user=`, believed in development mode only. */
  user: string | undefined;
  /** Of the page that asks; undefined: no page of another origin, or not known. */
  origin?: string | undefined;
  /** Of the client; undefined: not known. */
  address?: string | undefined;
}

/**
 * Thrown when it is not known who is asking. `no-credentials`: nothing says so. `bad-credentials`: what says so is not
 * accepted. `bad-user-id`: it is no id that the mesh can carry. `keys-unavailable`, `hook-unavailable`: whether it is accepted
 * cannot be told now.
 */
export class AuthError extends Error {
  readonly code:
    | 'no-credentials'
    | 'bad-credentials'
    | 'bad-user-id'
    | 'keys-unavailable'
    | 'hook-unavailable';
  constructor(code: AuthError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'AuthError';
    this.code = code;
  }

  /** Nobody can tell now: the same credentials may be good in a moment. */
  get isOutage(): boolean {
    return this.code === 'keys-unavailable' || this.code === 'hook-unavailable';
  }
}

/** Who is asking. */
export interface Identity {
  /** Carried form of the user id. */
  readonly uid: string;
  /** What the token says beside; undefined in development mode, where nobody has one. */
  readonly token?: {
    /** Undefined: it narrows nothing. */
    readonly grants: Grants | undefined;
    /** It counts until then, ms since the epoch by the host's clock. */
    readonly expiresAtMs: number;
  };
}

/** Nothing that says who is asking counts for longer than this, ms: what is beyond is no time. */
const longestMs = 100 * 365 * 86_400_000;
/** Whether it may be an {@link Identity}'s end: no more than 100 years ahead. */
export const isEnd = (atMs: number, nowMs: number): boolean => atMs - nowMs < longestMs;

/** @throws AuthError */
export type Authenticate = (credentials: Credentials) => Promise<Identity>;

/** The carried form of `user`. @throws AuthError with `code`, and with `context` before what is wrong with it. */
export function uidOf(user: unknown, code: AuthError['code'], context = ''): string {
  try {
    // It looks itself at what it is given.
    return toUid(user as string);
  } catch (cause) {
    if (!(cause instanceof NameError)) throw cause;
    throw new AuthError(code, `${context}${cause.message}`, cause);
  }
}
