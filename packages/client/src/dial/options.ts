import type { Backoff } from '@evenkeel/pace';
import type { Placement } from '@evenkeel/protocol/wire';

/**
 * What is asked of the gateway.
 * @example
 * const placement = async ({ session, signal }: PlacementQuery) =>
 *   await (await fetch(`/my-gateway?session=${session ?? ''}`, { signal })).json();
 * const placed = connect({ placement });
 */
export interface PlacementQuery {
  /** Session to come back to; undefined: a new one. */
  session: string | undefined;
  /** What the gateway gave with that session, as a proof that it is this user's. */
  resume: string | undefined;
  /** Nodes that held the session last, newest first, at most 4. */
  from: readonly string[];
  /** Nodes that have failed since the last connection, newest first, at most 8: the gateway avoids them. */
  tried: readonly string[];
  user: string | undefined;
  token: string | undefined;
  /** Aborted after the attempt's 10 s, and by `close()`. */
  signal: AbortSignal;
}

/**
 * Where and as whom to ask for a placement, and how long to wait between attempts.
 * @example
 * const dial: DialOptions = { gateway, user, getToken: async () => token };
 * const dialled = connect(dial);
 */
export interface DialOptions {
  /** Base address of the gateway, e.g. `https://mesh.example`; asked at `{gateway}/gateway`. */
  gateway?: string | undefined;
  /** Bearer token. One that is refused (401) closes the client; so does its end, since there is no other. */
  token?: string | undefined;
  /**
   * Asked for a token before every look-up, and when the one of the connection expires soon: the connection lives on with the new one.
   * What fails then is told as `refresh-failed`, and it is asked again until the token has expired; then the client comes back with
   * another. Refused ones (401) close the client after 30 s and three tries: clocks differ and keys
   * change. What it throws is told as `connect-failed` with the code `get-token-failed`, and it is asked again.
   */
  getToken?: (() => string | Promise<string>) | undefined;
  /** Whether the look-up carries cookies, as of `fetch`. Give `include` for a cookie of another origin. */
  credentials?: RequestCredentials | undefined;
  /** User id, for a gateway in development mode. */
  user?: string | undefined;
  /** Default: the global one. */
  fetch?: typeof fetch | undefined;
  /** Wait between attempts, full jitter. Default 500 to 20,000 ms; at most 10 minutes. */
  backoff?: Partial<Backoff> | undefined;
  /** Replaces the look-up at the gateway (load drivers, tests). */
  placement?: ((query: PlacementQuery) => Promise<Placement>) | undefined;
}
