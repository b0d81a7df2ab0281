import type { IncomingMessage } from 'node:http';
import { HostNames, Refusal } from '@evenkeel/runtime';
import { parseCookie } from 'cookie';
import type { Me, Role } from '../api.js';
import { isLocal, isVisit, requireOwnName, requireOwnPage, type Way, wayOf } from './guard.js';
import type { Sessions } from './sessions.js';

export interface AccessOptions {
  readonly sessions: Pick<Sessions, 'find'>;
  /** Whoever is on this machine operates, as `developer`. */
  readonly isOpen: boolean;
  /** Names that the console goes by, beside `localhost`, the host's own and addresses. */
  readonly hosts: readonly string[];
  readonly trustedHops: number;
  readonly now: () => number;
}

/** By TLS, a browser keeps this name to this very host. */
export const secureCookie = '__Host-evenkeel-console';
/** Without TLS browsers refuse that name. */
export const plainCookie = 'evenkeel-console';

const developer: Me = { name: 'developer', role: 'operate', isOpen: true };

/** Who asks, and whether they may. */
export class Access {
  readonly #options: AccessOptions;
  readonly #names: HostNames;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#names = new HostNames(options.hosts);
  }

  /** How the request has come, which is from a page of this console or from a program. @throws Refusal */
  way(request: IncomingMessage): Way {
    const way = wayOf(request, this.#options.trustedHops);
    requireOwnPage(request, this.#names, way);
    return way;
  }

  /** Lets in whoever goes to the page, by a link of another origin too: in itself it tells nothing. @throws Refusal */
  visit(request: IncomingMessage): void {
    if (isVisit(request)) requireOwnName(request, this.#names);
    else this.way(request);
  }

  /** The id that the request's cookie holds. */
  sessionId(request: IncomingMessage): string | undefined {
    const cookies = parseCookie(request.headers.cookie ?? '');
    const { isSecure } = wayOf(request, this.#options.trustedHops);
    return cookies[isSecure ? secureCookie : plainCookie];
  }

  /** Who asks. @throws Refusal `not-logged-in` */
  who(request: IncomingMessage, address: string): Me {
    const me = this.find(request, address);
    if (me !== undefined) return me;
    throw new Refusal(401, 'not-logged-in', 'log in with the token that you were given');
  }

  /** Who asks; undefined: nobody that is known, or not any more. */
  find(request: IncomingMessage, address: string): Me | undefined {
    const { isOpen, sessions, now } = this.#options;
    if (isOpen && isLocal(request, address)) return developer;
    const id = this.sessionId(request);
    const holder = id === undefined ? undefined : sessions.find(id, now());
    return holder && { name: holder.name, role: holder.role, isOpen: false };
  }
}

/** Those who only look may not command. @throws Refusal */
export function requireRole({ role, name }: Me, needed: Role): void {
  if (needed === 'view' || role === 'operate') return;
  throw new Refusal(
    403,
    'forbidden',
    `${name} may look, and command nothing; log in with a token that may operate`,
  );
}
