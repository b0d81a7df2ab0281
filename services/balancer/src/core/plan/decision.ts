import type { Draft } from './draft.js';
import type { PlanKind } from './plan.js';

/** Why nothing is done, in a word; the words are few, since each is a label of a metric. */
const waitReasons = [
  'level',
  'paused',
  'settling',
  'quiet',
  'filling',
  'deployment',
  'watching',
  'no-room',
] as const;
type WaitReason = (typeof waitReasons)[number];

export interface Wait {
  readonly kind: 'wait';
  readonly reason: WaitReason;
  readonly why: string;
}

/** Why the cluster is off level, and what would level it. */
export interface Off {
  readonly kind: 'off';
  readonly why: string;
  readonly draft: Draft;
}

export type Decision =
  | Wait
  | {
      readonly kind: 'plan';
      readonly planKind: PlanKind;
      readonly why: string;
      /** Nodes that it is to empty. */
      readonly drains?: readonly string[];
      readonly draft: Draft;
    };

export const wait = (reason: WaitReason, why: string): Wait => ({ kind: 'wait', reason, why });

/** Counts decisions, of the same one after another the first. */
export class Decisions {
  readonly #counts = new Map<string, number>([...waitReasons, 'rebalance', 'drain'].map((what) => [what, 0]));
  #last = '';

  /** By what was decided: a kind of plan, or why to wait. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  take(decision: Decision): void {
    const what = decision.kind === 'plan' ? decision.planKind : decision.reason;
    // Each plan is a decision of its own.
    if (decision.kind !== 'plan' && what === this.#last) return;
    this.#last = what;
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }
}
