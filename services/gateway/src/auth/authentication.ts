import { wallNow } from '@evenkeel/pace';
import type { GatewayConfig } from '../config.js';
import type { Authenticate, Credentials, Identity } from './credentials.js';
import { believeUser, refuseAll } from './dev.js';
import { HookAuthentication } from './hook.js';
import { JwtAuthentication } from './jwt.js';

/** The authentication that the settings ask for. */
export class Authentication {
  readonly #jwt: JwtAuthentication | undefined;
  readonly #authenticate: Authenticate;

  /** `onKeysFailed`: the keys of the issuer cannot be fetched, or read again, at present. */
  constructor(config: GatewayConfig, onKeysFailed: (error: unknown) => void) {
    this.#jwt = config.auth === 'jwt' ? new JwtAuthentication(config, onKeysFailed) : undefined;
    this.#authenticate = this.#by(config);
  }

  /** Reads what it needs to know the users. @throws Error when it cannot be read. */
  async start(): Promise<void> {
    await this.#jwt?.start();
  }

  /** Reads it anew; what cannot be read is reported, and what was before goes on counting. */
  reload(): void {
    this.#jwt?.reload();
  }

  /** @throws AuthError */
  authenticate(credentials: Credentials): Promise<Identity> {
    return this.#authenticate(credentials);
  }

  #by({ auth, authHookUrl: url, authHookSecret: secret }: GatewayConfig): Authenticate {
    const jwt = this.#jwt;
    if (jwt !== undefined) return (credentials) => jwt.authenticate(credentials);
    if (auth === 'dev') return believeUser;
    if (auth !== 'hook' || url === undefined || secret === undefined) return refuseAll;
    const hook = new HookAuthentication({ url, secret }, wallNow);
    return (credentials) => hook.authenticate(credentials);
  }
}
