import type { GatewayConfig } from '../config.js';
import type { Authenticate, Credentials, Identity } from './credentials.js';
import { believeUser, refuseAll } from './dev.js';
import { JwtAuthentication } from './jwt.js';

/** The authentication that the settings ask for. */
export class Authentication {
  readonly #jwt: JwtAuthentication | undefined;
  readonly #authenticate: Authenticate;

  /** `onKeysFailed`: the key set of the issuer cannot be fetched at present. */
  constructor(config: GatewayConfig, onKeysFailed: (error: unknown) => void) {
    const jwt = config.auth === 'jwt' ? new JwtAuthentication(config, onKeysFailed) : undefined;
    this.#jwt = jwt;
    const other = config.auth === 'dev' ? believeUser : refuseAll;
    this.#authenticate = jwt === undefined ? other : (credentials) => jwt.authenticate(credentials);
  }

  /** Reads what it needs to know the users. @throws Error when it cannot be read. */
  async start(): Promise<void> {
    await this.#jwt?.start();
  }

  /** @throws AuthError */
  authenticate(credentials: Credentials): Promise<Identity> {
    return this.#authenticate(credentials);
  }
}
