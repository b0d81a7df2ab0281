import type { Hint, NextQueue, QueueGeneration } from '../src/session/generation.js';

/** The queue that a session began with, of a broker of one node, unless it is said otherwise. */
export class FakeGeneration implements QueueGeneration {
  generation = 0;
  isLost = false;
  home: string | undefined;
  readonly isOfCluster = false;
  /** What was said of it. */
  readonly hints: Hint[] = [];

  isAt(generation: number, home?: string): void {
    this.generation = generation;
    this.home = home;
  }

  mayBeAt(hints: readonly Hint[]): void {
    this.hints.push(...hints);
  }

  next(): NextQueue {
    throw new Error('there is one broker');
  }
}
