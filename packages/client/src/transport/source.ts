/** A connection that events come on, as far as it matters here. */
export interface Source {
  /** As its `welcome` has named it; older edges name none. */
  readonly connection: string | undefined;
  /** The connection that its `hello` has named as the last before it. */
  after: Source | undefined;
  /** `seq` of the last event that has come, and of the last that was acknowledged. */
  receivedSeq: number;
  readonly ackedSeq: number;
  /** When something came last, or it ended, ms. */
  readonly aliveAtMs: number;
}
