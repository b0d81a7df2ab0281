/** What the gateway answers over HTTP. Written by it alone, so it is not checked at run time. */

/**
 * Answer of `GET /gateway`.
 * @example
 * const placement = async (): Promise<Placement> => await (await fetch('/my-gateway')).json();
 * const placed = connect({ placement });
 */
export interface Placement {
  /** Dial `url` + `?ticket=` + `ticket`. */
  url: string;
  node: string;
  ticket: string;
  session: string;
  /** The ticket must be used within this, ms. */
  expiresInMs: number;
  /** What the user may do, signed, for `hello`. Not in development mode, nor from older gateways. */
  pass?: string;
  /** Proves that the session is this user's, for the next look-up: query `resume`. Not from older gateways. */
  resume?: string;
}

/** Error body of the gateway and of a refused upgrade. */
export interface HttpError {
  error: { code: string; message: string };
}
