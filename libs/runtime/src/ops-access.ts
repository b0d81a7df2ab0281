import { createHash, timingSafeEqual } from 'node:crypto';
import { isLoopback } from './client-address.js';
import { HostNames } from './host-names.js';
import { bareHost } from './settings.js';

/** By what an ops server tells who may read it. */
export interface OpsAccessRules {
  /** The address it listens on. */
  readonly host: string;
  /** What a reader shows as `Authorization: Bearer` where the address is not of this machine alone. Undefined: none may read. */
  readonly token?: string | undefined;
  /** Names that readers may call it by, beside `localhost`, this host's own name, and addresses. */
  readonly hosts?: readonly string[] | undefined;
}

/** Why somebody may not read: by another name than its own, without the token, or because there is none to show. */
export type OpsRefusal = 'host' | 'token' | 'no-token';

/** Who may read metrics and status. */
export class OpsAccess {
  readonly #isLocal: boolean;
  readonly #token: Buffer | undefined;
  readonly #names: HostNames;

  constructor({ host, token, hosts = [] }: OpsAccessRules) {
    this.#isLocal = host === 'localhost' || isLoopback(bareHost(host));
    this.#token = token === undefined ? undefined : digest(token);
    this.#names = new HostNames(hosts);
  }

  /** Whether there is anybody who may read it. */
  get isReadable(): boolean {
    return this.#isLocal || this.#token !== undefined;
  }

  /** Whether a request with these headers may not read, and why; undefined: it may. */
  refusal(headers: {
    readonly host?: string | undefined;
    readonly authorization?: string | undefined;
  }): OpsRefusal | undefined {
    // Not even here on this machine.
    if (!this.#names.takes(headers.host)) return 'host';
    if (this.#isLocal) return undefined;
    if (this.#token === undefined) return 'no-token';
    const [, shown = ''] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
    return timingSafeEqual(digest(shown), this.#token) ? undefined : 'token';
  }
}

/** Of equal length whatever the text, and no text of it stays in memory. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
