import { isHere, movableOf, type NodeView, takersAmong } from '../cluster/state.js';
import { type Decision, wait } from './decision.js';
import { draftDrain } from './draft.js';
import { attemptKey, type DrainGoals, isDraining } from './drains.js';
import { listed } from './plan.js';

/** A node that is short of memory is relieved of this part of its sessions at a time, and of no fewer than so many. */
const reliefPart = 0.1;
const leastRelief = 5;
/** From one such plan to the next, ms: by then it has been seen what came of it. */
const reliefEveryMs = 10_000;
/** A node whose memory was low is given nothing by a plan for this long, ms: it would only have to be relieved again. */
const recoveryMs = 600_000;

/** What relief goes by, of a situation. */
interface Look {
  readonly nowMs: number;
  readonly nodes: readonly NodeView[];
  readonly drains: DrainGoals;
  readonly levelling: true | string;
  readonly lastPlanEndMs: number;
  readonly flapping: ReadonlySet<string>;
}

/**
 * Moves some sessions away from nodes that say that they are short of memory, a part at a time, while others have room. Remembers whose
 * memory was low: what they gave away does not come back at once, so that nothing goes to and fro.
 */
export class Relief {
  /** By node and boot: a process that was started anew has all its memory again. */
  readonly #lowAtMs = new Map<string, number>();
  #plannedAtMs = Number.NEGATIVE_INFINITY;

  watch({ nodes, nowMs }: Pick<Look, 'nodes' | 'nowMs'>): void {
    for (const n of nodes) if (n.stats.memory?.isLow === true) this.#lowAtMs.set(attemptKey(n), nowMs);
    for (const [key, atMs] of this.#lowAtMs) if (nowMs - atMs > recoveryMs) this.#lowAtMs.delete(key);
  }

  /** Whether plans leave it as it is. */
  isRecovering(n: NodeView): boolean {
    return this.#lowAtMs.has(attemptKey(n));
  }

  decide(s: Look): Decision | undefined {
    const short = s.nodes.filter(
      (n) => isHere(n) && n.stats.memory?.isShort === true && movableOf(n) > 0 && !isDraining(n, s.drains),
    );
    if (short.length === 0 || s.levelling !== true) return undefined;
    const list = listed(short.map((n) => n.node));
    const able = takersAmong(s.nodes.filter((n) => !s.flapping.has(n.node) && !this.isRecovering(n)));
    if (able.length === 0) return wait('no-room', `no node can take sessions of ${list}, short of memory`);
    const stale = [...short, ...able].find((n) => n.seenAtMs <= s.lastPlanEndMs);
    if (stale !== undefined || s.nowMs - this.#plannedAtMs < reliefEveryMs)
      return wait('settling', `waiting what the last plan does for ${list}, short of memory`);
    const names = new Set(short.map((n) => n.node));
    const nodes = s.nodes.map((n) => (names.has(n.node) ? { ...n, pinned: keptBy(n) } : n));
    const takers = new Set(able.map((n) => n.node));
    const draft = draftDrain(nodes, names, takers, {
      strategy: 'least-loaded',
      load: 'connections',
      ring: undefined,
    });
    if (draft.steps.length === 0)
      return wait('no-room', `no node has room for sessions of ${list}, short of memory`);
    this.#plannedAtMs = s.nowMs;
    const pinned = short.reduce((sum, n) => sum + n.pinned, 0);
    return {
      kind: 'plan',
      planKind: 'rebalance',
      why: `relieving ${list}, short of memory`,
      draft: { ...draft, pinned },
    };
  }
}

/** Sessions that it keeps for now. */
function keptBy(n: NodeView): number {
  const { sessions } = n.stats;
  return sessions - Math.min(movableOf(n), Math.max(leastRelief, Math.ceil(sessions * reliefPart)));
}
