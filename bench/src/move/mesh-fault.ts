/** Something that is done to the mesh while sessions move. */
export interface MeshFault {
  /** Only moves that leave, or reach, the node the fault will strike, from one second before. */
  readonly from?: string;
  readonly to?: string;
  /** The bench moves nobody meanwhile: the balancer does. */
  readonly isBalancers?: true;
  readonly strike: () => Promise<void>;
  /** How long the fault lasts, ms. */
  readonly lastsMs: number;
  /** Puts right what was broken. */
  readonly mend: () => Promise<void>;
  /** What shows that it happened. @throws Error that says what did not. */
  readonly evidence: () => Promise<string>;
}
