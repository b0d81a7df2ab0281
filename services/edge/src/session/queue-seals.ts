import type { Delivery } from '@evenkeel/broker';

/** The seals of a session's queue: see `seal.ts`. */
export interface QueueSeals {
  /** Publishes a seal to it; true once the broker has it there. `isFirst`: of a new session, which may wait for its turn. */
  plant(name: string, isFirst: boolean): Promise<boolean>;
  /** Waits no longer; `at`: for the seal that another edge has. */
  hurryPlanting(at?: string): void;
  /** The seal is put back later, for another edge that waits for it. */
  leaveSeal(name: string, delivery: Delivery): void;
  /** The opposite, if it was left here and has not been put back. */
  takeSeal(name: string): Delivery | undefined;
  /**
   * Puts back at once what was left here; resolves when none waits any more. For whom nobody is sure to wait, as where the other socket of
   * the move was lost as well: who comes next has not been told of it, and looks for it in the queue.
   */
  sealIsBack(): Promise<void>;
  /** This edge. */
  readonly node: string;
}
