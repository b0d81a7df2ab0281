import { KeyedBuckets } from '@evenkeel/pace';
import { nameOf, type Sender } from './admission.js';

/** Questions to all edges that one user may ask a second, and other commands that only look, … */
export const questionsPerSecond = 50;
/** … and of questions at once, … */
export const questionsBurst = 100;
/** … and of the others, which cost the balancer alone. */
export const looksBurst = 200;
/** Refusals for that limit that a user is answered a second, … */
export const refusalsPerSecond = 500;
/** … and at once. */
export const refusalsBurst = 1_000;
/** Users whose rate is remembered; the one that has been silent longest is forgotten. */
const maxUsers = 1_000;

/** Every question goes to every edge, and whoever only looks is to hold up nobody who acts: so each user has a rate of them. */
export class QuestionLimit {
  readonly #users: KeyedBuckets;

  constructor(perSecond = questionsPerSecond, burst = questionsBurst) {
    this.#users = new KeyedBuckets(perSecond, burst, maxUsers);
  }

  /** Whether this one may ask one more now; those for whom the console asks each by themselves. */
  tryTake(sender: Sender, nowMs: number): boolean {
    return this.#users.take(nameOf(sender), nowMs) === 0;
  }
}
