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
  /** This edge. */
  readonly node: string;
}
