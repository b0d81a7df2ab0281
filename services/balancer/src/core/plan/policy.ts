import { compareVersions, hasAge, type Load } from '@evenkeel/cluster';
import { isHere, movableOf, type NodeView, takersAmong, takes } from '../cluster/state.js';
import { type Decision, Decisions, type Off, type Wait, wait } from './decision.js';
import { type Draft, draftClose, draftDrain, draftLevel, type Method } from './draft.js';
import { attemptKey, type DrainAttempts, type DrainGoals, isDraining } from './drains.js';
import { Patience } from './patience.js';
import { listed, type StepProgress, type Strategy } from './plan.js';
import { Relief } from './relief.js';
import { swingOf } from './swing.js';

export interface PolicyOptions {
  strategy: Strategy;
  load: Load;
  /** A node further off its share than this part of it … */
  relativeThreshold: number;
  /** … and than this many sessions calls for a plan. */
  absoluteThreshold: number;
  /** The same where the load is not connections: a measure that varies by itself. */
  loadThreshold: number;
  /** The same must have been so for this long. */
  settleMs: number;
  /** The same where the load is not connections. */
  loadSettleMs: number;
  /** After a plan nothing happens by itself for this long. */
  quietMs: number;
  /** Twice as long after each plan in a row of which little came, up to this, until a node comes, goes or changes. */
  maxQuietMs: number;
  /** A draining node is left alone this long, so that every gateway has heard of it. */
  drainSettleMs: number;
  /** While versions are mixed, nothing is levelled until this long after the last node came, went or drained. */
  deployHoldMs: number;
  /** After this many plans that left sessions behind, a draining node is given up until a node comes, goes or changes. */
  maxDrainAttempts: number;
}

export const policyDefaults: PolicyOptions = {
  strategy: 'least-loaded',
  load: 'connections',
  relativeThreshold: 0.01,
  absoluteThreshold: 5,
  loadThreshold: 0.02,
  settleMs: 500,
  loadSettleMs: 60_000,
  quietMs: 2000,
  maxQuietMs: 60_000,
  drainSettleMs: 300,
  deployHoldMs: 60_000,
  maxDrainAttempts: 5,
};

/** Plans in a row of which little came. */
export interface Fruitless {
  readonly count: number;
  readonly lastAtMs: number;
}

/** What a node was given by load it does not give away again for this long, ms: it was a slow swing, and may turn once more. */
const givenMs = 1_200_000;

/** What is about to be over is waited for, for this long at a stretch, ms. */
const patienceMs = 30_000;
/** And a deployment for this long: a version that never ends its roll-out is the versions that there are, ms. */
const deployPatienceMs = 600_000;

/** From this part of its capacity on a node counts as full. */
const fullPart = 0.98;
/** While clients that were turned away may still be coming in, nothing is levelled for this long after a change, ms, … */
const refillMs = 30_000;
/** … or until nobody more has come for this long, ms: gateways ask them to try again after a few seconds. */
const stillMs = 5_000;

export interface Situation {
  readonly nowMs: number;
  readonly nodes: readonly NodeView[];
  readonly drains: DrainGoals;
  /** Whether levelling may happen by itself; else why not. */
  readonly levelling: true | string;
  readonly lastPlanEndMs: number;
  /** Plans in a row that should have levelled and did not. */
  readonly fruitless: Fruitless;
  /** Nodes that came and went too often lately; they get nothing by themselves. */
  readonly flapping: ReadonlySet<string>;
  /** Plans for a boot of a node that left sessions behind. */
  readonly attempts: ReadonlyMap<string, DrainAttempts>;
  /** Members of the ring that sessions were last moved onto. */
  readonly ring: Method['ring'];
}

/** Decides what to do by itself, if anything. Remembers only since when the cluster has been off level. */
export class Policy {
  readonly decisions = new Decisions();
  #options: PolicyOptions;
  #offSinceMs: number | undefined;
  #changedAtMs = Number.NEGATIVE_INFINITY;
  #members: readonly NodeView[] = [];
  #connections = 0;
  #grewAtMs = Number.NEGATIVE_INFINITY;
  #roomless: ReadonlySet<string> = new Set();
  readonly #patience = new Patience();
  readonly #relief = new Relief();
  /** Who was given something by the last plan by load. */
  #given: { readonly atMs: number; readonly takers: ReadonlySet<string> } | undefined;

  constructor(options: Partial<PolicyOptions> = {}) {
    this.#options = { ...policyDefaults, ...options };
  }

  /** These count from now on. */
  configure(options: Partial<PolicyOptions>): void {
    this.#options = { ...this.#options, ...options };
  }

  get options(): PolicyOptions {
    return this.#options;
  }

  /** Whether, at the last decision, no active node had room for what is to leave this one. */
  hasNoRoom(node: string): boolean {
    return this.#roomless.has(node);
  }

  /** Whether a draining node is left as it is. What failed before a node came, went or changed may work after it. */
  hasGivenUp(attempts: DrainAttempts | undefined): boolean {
    if (attempts === undefined || attempts.count < this.#options.maxDrainAttempts) return false;
    return attempts.lastAtMs >= this.#changedAtMs;
  }

  /** Whether what a plan has left undone is within the thresholds; what the front keeps in place cannot be had. */
  isRight(steps: readonly StepProgress[]): boolean {
    let asked = 0;
    let missed = 0;
    for (const step of steps) {
      if (step.dropped !== undefined) return false;
      asked += step.asked - step.refused - step.pinned;
      missed += step.timedOut;
    }
    return missed <= Math.max(this.#options.absoluteThreshold, asked * this.#options.relativeThreshold);
  }

  /** Whether those that take sessions are within the thresholds of their shares, whatever is balanced. */
  isLevel(nodes: readonly NodeView[]): boolean {
    const { absoluteThreshold, relativeThreshold } = this.#options;
    const takers = takersAmong(nodes);
    const names = new Set(takers.map((n) => n.node));
    const method = { strategy: 'least-loaded', load: 'connections', ring: undefined } as const;
    const { after } = draftLevel(nodes, names, method);
    return takers.every(({ node, stats: { sessions } }) => {
      const share = after.get(node) ?? 0;
      return Math.abs(sessions - share) <= Math.max(absoluteThreshold, share * relativeThreshold);
    });
  }

  /** What to do now. */
  decide(s: Situation): Decision {
    const decision = this.#decide(s);
    this.decisions.take(decision);
    return decision;
  }

  #decide(s: Situation): Decision {
    this.#watch(s);
    const drain = this.#drain(s);
    if (drain !== undefined) return drain;
    const relief = this.#relief.decide(s);
    if (relief !== undefined) return relief;
    const decision = this.#level(s);
    if (decision.kind === 'plan') return decision;
    const pinned = s.nodes.filter((n) => n.pinned > 0 && isHere(n) && isDraining(n, s.drains));
    const left = pinned.map((n) => `${n.pinned} pinned by the front are left on ${n.node}`);
    const alone = s.nodes.filter((n) => takes(n) && this.#relief.isRecovering(n));
    const spared = alone.map((n) => `${n.node} is left as it is for 10 min: its memory was low`);
    return wait(decision.reason, [decision.why, ...left, ...spared].join('; '));
  }

  #watch(s: Situation): void {
    this.#relief.watch(s);
    // One that comes and goes all the time is no change.
    const nodes = s.nodes.filter((n) => !s.flapping.has(n.node));
    const isSame =
      nodes.length === this.#members.length &&
      nodes.every((n, i) => {
        const m = this.#members[i];
        return m !== undefined && m.node === n.node && m.phase === n.phase && m.stats.boot === n.stats.boot;
      });
    if (!isSame) this.#changedAtMs = s.nowMs;
    this.#members = nodes;
    let connections = 0;
    for (const n of nodes) connections += n.stats.connections;
    if (connections > this.#connections) this.#grewAtMs = s.nowMs;
    this.#connections = connections;
  }

  #drain(s: Situation): Decision | undefined {
    this.#roomless = new Set();
    const draining = s.nodes.filter((n) => isHere(n) && isDraining(n, s.drains));
    const due = draining.filter((n) => movableOf(n) > 0 && !this.hasGivenUp(s.attempts.get(attemptKey(n))));
    if (due.length === 0) return this.#close(s, draining);
    const unsettled = due.find((n) => s.nowMs - n.stateSinceMs < this.#options.drainSettleMs);
    if (unsettled !== undefined)
      return wait('settling', `waiting until the gateways know that ${unsettled.node} is draining`);
    const names = new Set(due.map((n) => n.node));
    const able = takersAmong(s.nodes.filter((n) => !names.has(n.node)));
    // Who has been given sessions has less room than it said before; one that says nothing is no taker for long.
    const stale = [...due, ...able].find((n) => n.seenAtMs <= s.lastPlanEndMs);
    if (stale !== undefined)
      return wait('settling', `waiting for a report of ${stale.node} from after the last plan`);
    const takers = new Set(able.map((n) => n.node));
    const draft = draftDrain(s.nodes, names, takers, this.#method(s));
    const list = listed(names);
    if (draft.steps.length === 0) {
      this.#roomless = names;
      return wait('no-room', `${list} should be drained but no active node has room`);
    }
    return { kind: 'plan', planKind: 'drain', why: `draining ${list}`, drains: [...names], draft };
  }

  /** Nobody is left who can be moved: what an operator wants closed is closed now. */
  #close(s: Situation, draining: readonly NodeView[]): Decision | undefined {
    const rates = new Map<NodeView, number>();
    for (const n of draining) {
      const perSecond = s.drains.get(n.node)?.closesPerSecond;
      if (perSecond !== undefined && n.pinned > 0) rates.set(n, perSecond);
    }
    if (rates.size === 0) return undefined;
    const stale = [...rates.keys()].find((n) => n.seenAtMs <= s.lastPlanEndMs);
    if (stale !== undefined)
      return wait('settling', `waiting for a report of ${stale.node} from after the last plan`);
    const draft = draftClose(rates, s.nodes.filter(takes));
    const list = listed([...rates.keys()].map((n) => n.node));
    if (draft.steps.length === 0)
      return wait('no-room', `no active node is left for the pinned sessions of ${list}`);
    const drains = draining.map((n) => n.node);
    return { kind: 'plan', planKind: 'drain', why: `closing what is pinned to ${list}`, drains, draft };
  }

  #method(s: Situation): Method {
    return { strategy: this.#options.strategy, load: this.#options.load, ring: s.ring };
  }

  #level(s: Situation): Decision {
    const isSpared = (n: NodeView) => s.flapping.has(n.node) || this.#relief.isRecovering(n);
    const level = takersAmong(s.nodes).filter((n) => !isSpared(n));
    const off = this.#isOff(s, level);
    if (off.kind === 'wait') {
      this.#offSinceMs = undefined;
      return off;
    }
    this.#offSinceMs ??= s.nowMs;
    if (s.levelling !== true) return wait('paused', s.levelling);
    const { settleMs, loadSettleMs, deployHoldMs } = this.#options;
    const quiet = this.#quiet(s);
    if (quiet !== undefined) return wait('quiet', quiet);
    const full = this.#isFilling(s, level);
    if (full !== undefined)
      return wait('filling', `clients that ${full.node} has no room for are still coming elsewhere`);
    const versions = [...new Set(level.map((n) => n.stats.version))];
    const isMixed = versions.length > 1 && s.nowMs - this.#changedAtMs < deployHoldMs;
    if (this.#patience.has('versions', isMixed, Math.max(deployPatienceMs, deployHoldMs), s.nowMs)) {
      const newest = versions.sort(compareVersions).at(-1);
      return wait('deployment', `versions are mixed (newest ${newest}): a deployment may be under way`);
    }
    // Plan only on reports newer than the last plan, the last change of membership and the first sign of imbalance:
    // older ones produce moves that must be undone.
    const since = Math.max(s.lastPlanEndMs, this.#changedAtMs, this.#offSinceMs);
    const stale = level.find((n) => n.seenAtMs <= since || hasAge('stale', n.seenAtMs, s.nowMs));
    if (stale !== undefined) return wait('settling', `waiting for a new report of ${stale.node}`);
    const lastsMs = off.draft.load === 'connections' ? settleMs : loadSettleMs;
    if (s.nowMs - this.#offSinceMs < lastsMs) return wait('settling', 'off level, waiting whether it lasts');
    if (off.draft.load !== 'connections')
      this.#given = { atMs: s.nowMs, takers: new Set(off.draft.steps.map((step) => step.to)) };
    return { kind: 'plan', planKind: 'rebalance', why: off.why, draft: off.draft };
  }

  /**
   * A full node while clients come in after a change: gateways have turned some away, and those fill the emptier nodes by
   * themselves. What is moved there now would be moved back.
   */
  #isFilling({ nowMs }: Situation, level: readonly NodeView[]): NodeView | undefined {
    if (nowMs - this.#changedAtMs >= refillMs || nowMs - this.#grewAtMs >= stillMs) return undefined;
    return level.find((n) => n.stats.connections >= n.stats.capacity * fullPart);
  }

  #quiet({ nowMs, lastPlanEndMs, fruitless }: Situation): string | undefined {
    const { quietMs, maxQuietMs } = this.#options;
    const sinceMs = nowMs - lastPlanEndMs;
    if (sinceMs < quietMs) return 'quiet period after the last plan';
    const { count, lastAtMs } = fruitless;
    if (lastAtMs < this.#changedAtMs || sinceMs >= Math.min(maxQuietMs, quietMs * 2 ** count))
      return undefined;
    return `little came of the last plan, or of ${count} in a row: trying again after a while`;
  }

  #isOff(s: Situation, level: NodeView[]): Wait | Off {
    if (level.length < 2) {
      const who = level.length === 0 ? 'no active node' : 'one active node alone';
      return wait('level', `${who}: nothing to level`);
    }
    const unsettled = this.#isUnsettled(s, level);
    if (unsettled !== undefined) return wait('settling', unsettled);
    const names = new Set(level.map((n) => n.node));
    if (this.#options.strategy === 'consistent-hash') return this.#isOffRing(s, level, names);
    const draft = draftLevel(s.nodes, names, this.#method(s));
    if (draft.load !== 'connections') return this.#isOffLoad(draft, level, s.nowMs);
    let worst = { node: '', by: 0, share: 0 };
    for (const n of level) {
      const share = draft.after.get(n.node) ?? 0;
      const by = n.stats.sessions - share;
      const limit = Math.max(this.#options.absoluteThreshold, share * this.#options.relativeThreshold);
      if (Math.abs(by) > limit && Math.abs(by) > Math.abs(worst.by)) worst = { node: n.node, by, share };
    }
    if (worst.node === '') return wait('level', 'level within the thresholds');
    const side = worst.by > 0 ? 'over' : 'under';
    const why = `${worst.node} is ${Math.abs(worst.by)} ${side} its share of ${worst.share}`;
    return { kind: 'off', why, draft };
  }

  /** What will be over in a moment, and whose figures are better waited for; but not for ever. */
  #isUnsettled(s: Situation, level: readonly NodeView[]): string | undefined {
    const joining = s.nodes.find((n) => n.phase === 'joining' && !s.flapping.has(n.node));
    const busy = level.find((n) => n.stats.moves.pending > 0);
    const attaching = level.find(
      ({ stats }) => stats.connections - stats.sessions > Math.max(5, stats.sessions * 0.02),
    );
    const isWaitedFor = (what: string, node: NodeView | undefined) =>
      this.#patience.has(what, node !== undefined, patienceMs, s.nowMs) ? node?.node : undefined;
    const names = {
      joining: isWaitedFor('joining', joining),
      busy: isWaitedFor('busy', busy),
      attaching: isWaitedFor('attaching', attaching),
    };
    if (names.joining !== undefined) return `${names.joining} is joining`;
    if (names.busy !== undefined) return `moves are pending on ${names.busy}`;
    return names.attaching === undefined ? undefined : `clients are still attaching on ${names.attaching}`;
  }

  #isOffLoad(draft: Draft, level: readonly NodeView[], nowMs: number): Wait | Off {
    let worst = { node: '', by: 0 };
    for (const n of level) {
      const share = draft.after.get(n.node) ?? 0;
      const by = share > 0 ? (draft.before.get(n.node) ?? 0) / share - 1 : 0;
      // Events come by chance: of those counted, the square root is noise. Within four of these, nothing is known.
      const noise = 4 / Math.sqrt(Math.max(1, (n.traffic.events * n.traffic.overMs) / 1000));
      if (by > Math.max(this.#options.loadThreshold, noise) && by > worst.by) worst = { node: n.node, by };
    }
    if (worst.node === '' || draft.steps.length === 0) return wait('level', 'level within the thresholds');
    const node = level.find((n) => n.node === worst.node);
    if (node !== undefined && draft.load !== 'connections' && !isFilling(level)) {
      const { isKnown, mayBe } = swingOf(node, level, draft.load);
      if (!isKnown)
        return wait(
          'watching',
          `watching the ${draft.load} of ${worst.node} for five minutes: a move has its price`,
        );
      const given = this.#given;
      if (given !== undefined && nowMs - given.atMs < givenMs && given.takers.has(worst.node))
        return wait(
          'watching',
          `${worst.node} was given ${draft.load} a while ago: it keeps them for 20 minutes`,
        );
      if (worst.by <= mayBe)
        return wait('watching', `the ${draft.load} of ${worst.node} swing to both sides`);
    }
    return {
      kind: 'off',
      why: `${worst.node} carries ${Math.round(worst.by * 100)} % more than its share of ${draft.load}`,
      draft,
    };
  }

  #isOffRing(s: Situation, level: NodeView[], names: Set<string>): Wait | Off {
    const members = (nodes: readonly { node: string; weight: number }[]) =>
      nodes
        .map((n) => `${n.node}=${n.weight}`)
        .sort()
        .join(',');
    const now = members(level.map((n) => ({ node: n.node, weight: n.stats.weight })));
    if (s.ring !== undefined && members(s.ring) === now) return wait('level', 'the ring is as it was');
    const draft = draftLevel(s.nodes, names, this.#method(s));
    if (draft.steps.length === 0) return wait('no-room', 'nodes have no room for what the ring gives them');
    return { kind: 'off', why: 'the members of the ring have changed', draft };
  }
}

/** Whether a node holds less than half of its sessions: it has come lately, and need not be watched to see that. */
function isFilling(level: readonly NodeView[]): boolean {
  let sessions = 0;
  let weight = 0;
  for (const { stats } of level) {
    sessions += stats.sessions;
    weight += stats.weight;
  }
  return level.some(({ stats }) => stats.sessions * 2 < (sessions / weight) * stats.weight);
}
