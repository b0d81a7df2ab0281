/** Fixed numbers of this client. */
export const limits = {
  /** Look-up, and opening of a socket, each. */
  attemptMs: 10_000,
  /** Nodes named to the gateway as tried; it takes no more. */
  tried: 8,
  /** `Retry-After` is kept up to this. */
  retryAfterMs: 600_000,
  /** From the open socket to `welcome`: longer than an edge tries to take a session over (30 s). */
  welcomeMs: 45_000,
  /** Wait for the new socket's `welcome` when the old one is already gone. */
  moveGraceMs: 10_000,
  /**
   * Wait for the `moved` of the old socket that the new one's `welcome` has overtaken: as long as the edge keeps it for
   * that, since only a stalled way can be the reason. Calls do not wait so long.
   */
  overtakenMs: 5_000,
  overtakenCallsMs: 1_000,
  /** A timer that comes this late tells of this machine; then what has come is read for so long before anything is judged. */
  lateMs: 1_000,
  graceMs: 2_000,
  /** An answer to a ping; never longer than the heartbeat. */
  answerMs: 10_000,
  /** An answer to a ping after the page woke up or came online. */
  probeMs: 5_000,
  /** Messages kept from the new socket of a move until the old one has finished. */
  mergeBuffer: 10_000,
  /** Wait for the mark that the old edge of a move has named; without one, contents that came once are repeats as long. */
  markMs: 5_000,
  /** What was published at the moment of the mark comes as soon after it. */
  sameMomentMs: 20,
  /** How long repeats of a topic are looked for after a change of socket. */
  repeatMs: 30_000,
  /** Ids of directed events remembered; at least 2 × `window`. */
  recentEvents: 1_024,
  /** Events waiting for handlers; a window bounds them long before. */
  queuedEvents: 4_096,
  /** Statuses kept for a slow reader of `status()`; the oldest go. */
  statusBuffer: 256,
  /** A connection that lived this long starts its backoff anew. */
  stableMs: 5_000,
  /** `close()` waits for a running handler this long, then this long for the socket. */
  closeMs: 2_000,
  /** `end()` looks for an edge that ends the session this long. */
  endMs: 5_000,
} as const;
