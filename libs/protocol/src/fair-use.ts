/**
 * Defaults of the limits that keep one client, user or address from spoiling an edge for the others.
 * PROTOCOL.md prints them in section 8.1; a test keeps them equal.
 */
export const fairUse = {
  /** Connections without a request yet. */
  maxPending: 1_000,
  /** The same of one address. */
  maxPendingPerAddress: 64,
} as const;
