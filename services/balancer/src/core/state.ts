import type { ClockMark, RingNode } from '@evenkeel/cluster';
import type { Cordon } from './cordons.js';
import type { LiveSetting } from './live-settings.js';
import type { NodeSettings } from './node-settings.js';
import type { DrainGoal } from './plan/drains.js';
import type { Plan } from './plan/plan.js';
import type { PastPlan } from './run/past-plan.js';
import type { RunSnapshot } from './run/run.js';

/** Who has paused automatic rebalancing, and since when. */
export interface Pause {
  readonly by: string;
  /** ms since the epoch */
  readonly at: number;
  /** What it came with, where it was not asked for by itself. */
  readonly why?: string;
}

/** The clock of whoever has saved a state, as of then, and what it knew of the clocks of nodes. */
interface SavedClock {
  /** ms since the epoch */
  readonly at: number;
  readonly nodes: readonly ClockMark[];
}

/** What a leader leaves to its successor. */
export interface SavedState {
  readonly v: 1;
  /** Whose times all of it has. Absent where a balancer of before has saved it. */
  readonly clock?: SavedClock;
  readonly plan?: Plan;
  readonly run?: RunSnapshot;
  readonly drains: readonly DrainGoal[];
  readonly isPaused: boolean;
  /** Absent where nobody has paused it, and where a balancer of before has saved it. */
  readonly pause?: Pause;
  /** Who has aborted a plan last. */
  readonly aborted?: Pause;
  /** Nodes that operators keep clients from, whatever their process. */
  readonly cordons?: readonly Cordon[];
  /** What operators have set of balancers, and of nodes. */
  readonly settings?: readonly LiveSetting[];
  readonly nodeSettings?: readonly NodeSettings[];
  readonly history: readonly PastPlan[];
  /** Members of the ring that sessions were last moved onto, with `consistent-hash`. */
  readonly ring?: readonly RingNode[];
}

/** A state that a later version has saved: what is in it is not known here. */
export interface NewerState {
  readonly newer: number;
}
