/**
 * Which URLs a node may report for itself: clients dial them, with a ticket in hand. A pattern is a `ws://` or `wss://` URL without
 * user, query or fragment. `*` stands for any characters but `/` and `:` in the host, for any port, and for anything in the path.
 * Without a port it is the scheme's own, without a path any.
 */
const form = /^(wss?):\/\/([^/:?#@\s]+|\[[0-9a-fA-F:.*]+\])(?::(\d{1,5}|\*))?(\/[^?#\s]*)?$/;

/** Is `text` such a pattern? */
export const isNodeUrlPattern = (text: string): boolean => form.test(text);

/** Whether a node may report `url`: a WebSocket URL without user, query or fragment and, where there are patterns, of one of them. */
export function isNodeUrl(url: string, patterns: readonly string[] = []): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, username, password, search, hash, hostname, port, pathname } = new URL(url);
  if (
    (protocol !== 'ws:' && protocol !== 'wss:') ||
    [username, password, search, hash].some((each) => each !== '')
  )
    return false;
  return (
    patterns.length === 0 ||
    patterns.some((pattern) => {
      const [, scheme = '', host = '', wantedPort, path] = form.exec(pattern) ?? [];
      const standard = scheme === 'ws' ? '80' : '443';
      return (
        protocol === `${scheme}:` &&
        like(host.toLowerCase(), '[^/:]+').test(hostname) &&
        (wantedPort === '*' || (port || standard) === (wantedPort ?? standard)) &&
        (path === undefined || like(path, '.*').test(pathname))
      );
    })
  );
}

/** `pattern` as a regular expression, `*` in it standing for `any`. */
const like = (pattern: string, any: string): RegExp =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      .join(any)}$`,
  );

/** Nodes whose refusal is remembered; a further one is refused without being told of. */
const maxTold = 1_000;

/** Sorts out reports of nodes that are not where a node may be; tells of each such node once. */
export class NodeUrls {
  readonly #patterns: readonly string[];
  readonly #onRefused: (node: string, url: string) => void;
  readonly #told = new Set<string>();

  constructor(patterns: readonly string[] | undefined, onRefused: (node: string, url: string) => void) {
    this.#patterns = patterns ?? [];
    this.#onRefused = onRefused;
  }

  /** Whether to believe a report of `node` at `url`. */
  takes({ node, url }: { readonly node: string; readonly url: string }): boolean {
    if (isNodeUrl(url, this.#patterns)) return true;
    if (!this.#told.has(node) && this.#told.size < maxTold) {
      this.#told.add(node);
      this.#onRefused(node, url);
    }
    return false;
  }
}
