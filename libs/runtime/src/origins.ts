/** Any page may connect. */
const any = '*';

/**
 * Whether `text` is an origin as browsers send it (scheme and host in small letters, a port only where it is not the scheme's
 * own, no path), or `*`.
 */
export function isOriginOrAny(text: string): boolean {
  if (text === any) return true;
  if (!/^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.:[\]_-]+$/.test(text)) return false;
  if (!/^https?:/.test(text)) return true;
  return URL.canParse(text) && new URL(text).origin === text;
}

/** Which pages may connect, by the `Origin` that browsers send: gateways and edges go by the same rule. */
export class Origins {
  /** Undefined: any. */
  readonly #listed: ReadonlySet<string> | undefined;

  /** `listed`: origins; `*` or undefined: any. */
  constructor(listed: readonly string[] | undefined) {
    this.#listed = listed === undefined || listed.includes(any) ? undefined : new Set(listed);
  }

  /** Whether any page may. */
  get isOpen(): boolean {
    return this.#listed === undefined;
  }

  /** Whether `origin` is listed by name. */
  lists(origin: string | undefined): boolean {
    return origin !== undefined && this.#listed?.has(origin) === true;
  }

  /** Whether a request with this `Origin` may go on. Without one it is no page's of another origin: programs send none. */
  takes(origin: string | undefined): boolean {
    return origin === undefined || this.isOpen || this.lists(origin);
  }
}

/** For who is refused by {@link Origins.takes}. */
export const originRefused = {
  code: 'origin-refused',
  message: 'pages of this origin may not connect; add it to EVENKEEL_ORIGINS',
} as const;
