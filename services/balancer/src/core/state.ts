import type { RingNode } from '@evenkeel/cluster';
import type { DrainGoal } from './plan/drains.js';
import type { Plan } from './plan/plan.js';
import type { PastPlan } from './run/past-plan.js';
import type { RunSnapshot } from './run/run.js';

/** `auto`: levels on its own. `manual`: only what an operator asks for, and drains. */
export type Mode = 'auto' | 'manual';

/** What a leader leaves to its successor. */
export interface SavedState {
  readonly v: 1;
  readonly plan?: Plan;
  readonly run?: RunSnapshot;
  readonly drains: readonly DrainGoal[];
  readonly isPaused: boolean;
  readonly history: readonly PastPlan[];
  /** Members of the ring that sessions were last moved onto, with `consistent-hash`. */
  readonly ring?: readonly RingNode[];
}

/** A state that a later version has saved: what is in it is not known here. */
export interface NewerState {
  readonly newer: number;
}
