import type { Load } from '@evenkeel/cluster';
import type { strategies } from '@evenkeel/protocol';

export type Strategy = (typeof strategies)[number];
export const planKinds = ['rebalance', 'drain', 'undo'] as const;
export type PlanKind = (typeof planKinds)[number];

/** One pair of nodes in a plan. */
export interface PlanStep {
  readonly from: string;
  readonly to: string;
  /** Sessions; with a load other than connections or a ring the most that may be moved. */
  readonly count: number;
  /** `count` is only a ceiling: the edge knows how many there are. */
  readonly isEstimate?: true;
  /** And less than what may have to go: the target has no more room. */
  readonly isCapped?: true;
  /** Pinned sessions: their sockets are closed at this rate, and nobody is moved. */
  readonly closesPerSecond?: number;
  /** With a load other than connections: bytes a second to move, or events a second (also where the load is CPU). */
  readonly load?: number;
}

const mostNamed = 8;

/** Names in a sentence: all of them where they are few. */
export function listed(names: Iterable<string>): string {
  const all = [...names];
  const more = all.length - mostNamed;
  return more <= 0 ? all.join(', ') : `${all.slice(0, mostNamed).join(', ')} and ${more} more`;
}

/** What was decided; never changes once it is made. */
export interface Plan {
  readonly id: string;
  readonly kind: PlanKind;
  /** In words: why it was made. */
  readonly why: string;
  /** `auto`, or the operator's user id. */
  readonly by: string;
  readonly strategy: Strategy;
  readonly load: Load;
  readonly steps: readonly PlanStep[];
  readonly total: number;
  readonly startedAt: number;
  /** A move not finished after this long has failed. */
  readonly moveDeadlineMs: number;
  /** Nodes that a drain is to empty, also those that nothing goes from now since nobody has room. */
  readonly drains?: readonly string[];
  /** Nodes of the ring, for `consistent-hash`. */
  readonly ring?: { points: number; nodes: { node: string; weight: number }[] };
  /** The ring gives sessions to a node that has no room at all. */
  readonly isShort?: true;
  /** The plan is given up at this time (ms since the epoch). */
  readonly endsBy?: number;
}

export const planStates = ['running', 'paused', 'stopping', 'done', 'partial', 'aborted'] as const;
export type PlanState = (typeof planStates)[number];

/** What came of a step so far. */
export interface StepProgress {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly asked: number;
  readonly done: number;
  readonly failed: number;
  /** Of those that failed: brought back by the front. */
  readonly pinned: number;
  readonly timedOut: number;
  readonly refused: number;
  /** Why the rest of this step was given up. */
  readonly dropped?: string;
}
