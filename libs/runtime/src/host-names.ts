import { isIP } from 'node:net';
import { hostname } from 'node:os';

/**
 * The names that a server goes by: `localhost`, this host's own, those given, and every address. Whoever asks by another was
 * misled: a page in a browser may lead a name of its own to an address that it could not read otherwise.
 */
export class HostNames {
  readonly #names: ReadonlySet<string>;

  constructor(more: readonly string[] = []) {
    this.#names = new Set(['localhost', hostname(), ...more].map((name) => name.toLowerCase()));
  }

  /** Whether the header `Host` is one of them, with any port. */
  takes(host: string | undefined): boolean {
    const [, v6, name = ''] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(host ?? '') ?? [];
    // Whoever asks by an address was not misled by a name.
    return v6 !== undefined ? isIP(v6) === 6 : isIP(name) === 4 || this.#names.has(name.toLowerCase());
  }
}
