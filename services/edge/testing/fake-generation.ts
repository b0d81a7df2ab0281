import type { QueueGeneration } from '../src/session/generation.js';

/** The queue that a session began with, of a broker of one node, unless it is said otherwise. */
export class FakeGeneration implements QueueGeneration {
  generation = 0;
  isLost = false;
  readonly isOfCluster = false;

  isAt(generation: number): void {
    this.generation = generation;
  }
}
