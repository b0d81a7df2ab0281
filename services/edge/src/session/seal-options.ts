import type { Delivery } from '@evenkeel/broker';
import type { GapReason } from '@evenkeel/protocol';

/** What a seal needs of the session that it is of. */
export interface SealOptions {
  /**
   * Publishes a seal of this name to the queue. True once the broker has it there; never rejects. `isFirst`: nothing is in doubt, and
   * it may wait for its turn, until {@link SealOptions.hurry}.
   */
  plant(name: string, isFirst: boolean): Promise<boolean>;
  /** `at`: it is another edge's turn. */
  hurry(at: string | undefined): void;
  /** It is put back later, for another edge that waits for it. */
  leave(name: string, delivery: Delivery): void;
  /** The opposite: undefined when it has been put back, or has gone back with its channel. */
  takeBack(name: string): Delivery | undefined;
  /** This edge. */
  readonly node: string;
  newName(): string;
  /** Deliveries that have come, but for seals: those that are not settled, and those that have gone on to the client. */
  readonly counts: { readonly unacked: number; readonly passed: number };
  /** Those that are not settled. */
  unsettled(): readonly Delivery[];
  /** `seq` that the last event before what is told now has, or will have. */
  seq(): number;
  /** Why something was dropped last since that time, if anybody knows. */
  whyDropped(sinceMs: number): GapReason | undefined;
  /** A queue whose node of the broker has been down for a while has no seal any more, and lacks what was published meanwhile. */
  isOfCluster?(): boolean;
  /** The client may have missed events before the next one. */
  onGap(reason: GapReason): void;
  /** Events went past the queue from here on; `isOver`: and do not any more. */
  onPassedBy?(isOver: boolean): void;
  /** Something was dropped before what comes next: nobody knows any more which delivery that is. */
  onLacking?(): void;
  /** It is told of no gap, so nothing shows that it has heard of one. */
  readonly isBare: boolean;
  now(): number;
}
