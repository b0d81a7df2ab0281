import type { NextQueue, QueueGeneration } from '../src/session/generation.js';

/** The queue that a session began with, of a broker of one node, unless it is said otherwise. */
export class FakeGeneration implements QueueGeneration {
  generation = 0;
  isLost = false;
  home: string | undefined;
  readonly isOfCluster = false;

  isAt(generation: number, home?: string): void {
    this.generation = generation;
    this.home = home;
  }

  isAtLeast(...generations: readonly (number | undefined)[]): void {
    this.isAt(Math.max(this.generation, ...generations.map((each) => each ?? 0)));
  }

  next(): NextQueue {
    throw new Error('there is one broker');
  }
}
