/**
 * What sessions need of the rest of the edge, declared by the one who asks. Who serves it does not import this file:
 * app.ts joins the two, and there the compiler checks that they fit.
 */

/**
 * The topics of this edge.
 * @public
 */
export interface Topics {
  /** Counts a subscriber in at once; it counts until it is released. */
  join(topic: string): Membership;
  /**
   * Resolves with true once this edge has handled every topic message that was under way to it at the time of the call;
   * with false when that could not be learnt within `timeoutMs`, so that some may still come.
   */
  fence(timeoutMs: number): Promise<boolean>;
}

/** One subscriber's hold on a topic. */
export interface Membership {
  /** Resolves when every later message of the topic reaches this edge; rejects when the broker did not bind it. */
  readonly bound: Promise<void>;
  /** Counts the subscriber out, once, however often it is called, also while `bound` is pending. */
  release(): void;
}
