import { buildRing, type NodeClocks, type Ring } from '@evenkeel/cluster';
import { type NodeStats, ticketBoot } from '@evenkeel/protocol';
import { newSessionId } from '@evenkeel/ticket';
import type { Admission } from '../admission/admission.js';
import type { Candidate, Choice } from './candidate.js';
import { choose, type Rules, sureOf } from './choose.js';
import { Others } from './others.js';
import { Placements } from './placements.js';
import { Reservations } from './reservations.js';

/** One client that wants an edge. `sid` is undefined for a new session. */
export interface Arrival {
  uid: string;
  sid: string | undefined;
  /** The session has been in another cell: it costs as much as a new one. */
  isFromElsewhere?: boolean;
  /** The node that held the session last, as far as that is known for certain. */
  from?: string | undefined;
  /** The one that it says holds the session: heeded while no node at all is heard. */
  heldBy?: string | undefined;
  /** Nodes that have just failed for this client. */
  tried?: readonly string[];
}

/** One moment by the clocks of others. */
export interface Times {
  /** Now, by the clock that the edge judges tickets by, ms. */
  readonly edgeNowMs: number;
  /** Now, as every gateway has it that sees these edges, ms. */
  readonly meshNowMs: number;
}

export type Placed =
  | ({
      kind: 'placed';
      node: string;
      url: string;
      boot: string | undefined;
      sid: string;
      isNew: boolean;
    } & Times)
  | { kind: 'refused'; reason: 'none' | 'full' | 'wait'; retryAfterSeconds: number };

export interface PlacerOptions {
  rules: Rules;
  admission: Admission;
  /** How long a reservation stands for a ticket that is not used, ms. */
  reservationMs: number;
  /** Clients under way that one user counts for; with a further one its oldest counts no more. */
  reservationsPerUser: number;
  random: () => number;
  /** Nothing is known of this node any more. */
  forgotten?: (node: string) => void;
}

/** The cluster as this gateway sees it, and the clients that it has sent. Takes the time as an argument. */
export class Placer {
  readonly #options: PlacerOptions;
  #rules: Rules;
  readonly #nodes = new Placements();
  readonly #reservations: Reservations;
  readonly #others = new Others();
  #ring: { key: string; ring: Ring } | undefined;

  constructor(options: PlacerOptions) {
    this.#options = options;
    this.#rules = options.rules;
    this.#reservations = new Reservations(options.reservationsPerUser);
  }

  /** Places by this strategy from now on. Returns whether it was another. */
  follow(strategy: Rules['strategy']): boolean {
    if (strategy === this.#rules.strategy) return false;
    this.#rules = { ...this.#rules, strategy };
    return true;
  }

  observe(stats: NodeStats, nowMs: number): void {
    const { admission } = this.#options;
    this.#forget(nowMs);
    const observation = this.#nodes.observe(stats, nowMs);
    if (observation.kind === 'ignored') return;
    if (observation.kind === 'next') {
      const { previous, report } = observation;
      const elapsedMs = report.seenAtMs - previous.seenAtMs;
      const { factor } = this.#others;
      const arrived = this.#reservations.settle(previous.stats, stats, elapsedMs, factor);
      this.#others.arrived(arrived);
    }
    if (observation.kind === 'restarted') {
      this.#reservations.reset(stats.node);
      admission.forget(stats.node);
    }
    admission.observe(stats, nowMs);
  }

  place(arrival: Arrival, nowMs: number): Placed {
    const { admission, random } = this.#options;
    const rules = this.#rules;
    const isNew = arrival.sid === undefined;
    const makesQueue = isNew || arrival.isFromElsewhere === true;
    // An edge that has just died reports nothing; those that it held say so first.
    if (arrival.from !== undefined) this.#nodes.returnedFrom(arrival.from, arrival.uid);
    const { candidates, draining } = this.#candidates(arrival.uid, nowMs);
    const refuse = (reason: 'none' | 'full' | 'wait'): Placed => {
      const nodes = sureOf(candidates).map((c) => c.node);
      const retryAfterSeconds = admission.retryAfterSeconds(
        nodes,
        { uid: arrival.uid, isNew: makesQueue },
        nowMs,
        random,
      );
      return { kind: 'refused', reason, retryAfterSeconds };
    };
    const sid = arrival.sid ?? newSessionId();
    const client = { uid: arrival.uid, sid, tried: arrival.tried ?? [] };
    const back = this.#wayBack(arrival, candidates, nowMs);
    const choice =
      back ?? choose(candidates, draining, client, rules, (nodes) => this.#ringOf(nodes), random);
    if (choice.kind !== 'node') return refuse(choice.kind);
    if (makesQueue && !admission.hasNewSessionSlot(arrival.uid, nowMs)) return refuse('wait');
    const { node, url, boot } = choice.node;
    admission.take(node, arrival.uid, makesQueue, nowMs);
    this.#others.sent();
    // Whoever goes back is counted there already.
    if (back === undefined) {
      const untilMs = this.#nodes.clockMs(nowMs) + this.#options.reservationMs;
      this.#reservations.add(arrival.uid, sid, node, untilMs);
    }
    return { kind: 'placed', node, url, boot, sid, isNew, ...this.times(node, nowMs) };
  }

  /** What time it is elsewhere. `node`: undefined where that does not matter. */
  times(node: string | undefined, nowMs: number): Times {
    const { clocks } = this.#nodes;
    const meshNowMs = Math.round(nowMs + clocks.steadyMedianMs);
    const edgeNowMs = node === undefined ? meshNowMs : Math.round(nowMs + clocks.ticketsAheadMs(node));
    return { edgeNowMs, meshNowMs };
  }

  /** How far apart the clocks of nodes are. */
  get clocks(): NodeClocks {
    return this.#nodes.clocks;
  }

  /** Whether this node is one of those heard here. */
  knows(node: string): boolean {
    return this.#nodes.knows(node);
  }

  /** For how long no node has been heard, ms; undefined while one is. */
  silentMs(nowMs: number): number | undefined {
    return this.#nodes.silentMs(nowMs);
  }

  /** What is known, for `/status` and metrics. */
  snapshot(nowMs: number) {
    const { admission } = this.#options;
    const silentMs = this.#nodes.silentMs(nowMs);
    return {
      strategy: this.#rules.strategy,
      // Nobody is heard: this is the last view.
      ...(silentMs === undefined ? {} : { silentMs }),
      nodes: this.#nodes.nodes(nowMs).map(({ stats, phase }) => ({
        node: stats.node,
        url: stats.url,
        state: phase,
        ...(stats.reachable === undefined ? {} : { reachable: stats.reachable }),
        ...(stats.memory?.isLow === undefined ? {} : { memory: { isLow: true } }),
        version: stats.version,
        clockAheadMs: Math.round(this.#nodes.clocks.aheadMs(stats.node)),
        connections: stats.connections,
        sessions: stats.sessions,
        reserved: this.#reservations.of(stats.node),
        handshakeCeiling: Math.round(admission.ceilingOf(stats.node)),
      })),
      waiting: admission.waiting(nowMs),
    };
  }

  /**
   * Where a client that comes back goes while no node is heard: to where its session is. Elsewhere its edge would have to ask for it by
   * RabbitMQ, which takes nothing. Undefined: there is no such place, or somebody is heard.
   */
  #wayBack(
    { sid, heldBy, tried = [] }: Arrival,
    candidates: readonly Candidate[],
    nowMs: number,
  ): Extract<Choice, { kind: 'node' | 'wait' }> | undefined {
    if (sid === undefined || heldBy === undefined || this.silentMs(nowMs) === undefined) return undefined;
    const node = candidates.find((each) => each.node === heldBy);
    if (node === undefined || node.isDoubtful || tried.includes(heldBy)) return undefined;
    // Its own socket of before may be among those that are used.
    if (node.used > node.capacity) return undefined;
    return node.hasSlot ? { kind: 'node', node } : { kind: 'wait' };
  }

  #candidates(uid: string, nowMs: number): { candidates: Candidate[]; draining: number } {
    const { admission } = this.#options;
    this.#forget(nowMs);
    // In a silence of all nobody who was sent shows in statistics: it counts until that is over.
    this.#reservations.expire(this.#nodes.clockMs(nowMs));
    const known = this.#nodes.nodes(nowMs).filter((n) => !n.isSilent);
    const open = known.filter((n) => n.stats.state === 'active');
    const { factor } = this.#others;
    // What a node in doubt could do once is no measure for the others.
    const ailing = admission.ailing(sureOf(open).map((n) => n.stats.node));
    return {
      candidates: open.map(({ stats, isDoubtful }) => ({
        node: stats.node,
        url: stats.url,
        boot: ticketBoot(stats),
        version: stats.version,
        weight: stats.weight,
        capacity: stats.capacity,
        load: stats.sessions + this.#reservations.of(stats.node) * factor,
        used: stats.connections + this.#reservations.of(stats.node),
        hasSlot: admission.hasSlot(stats.node, uid, nowMs),
        isDoubtful,
        isAiling: ailing.has(stats.node),
      })),
      draining: known.reduce((sum, n) => sum + (n.stats.state === 'draining' ? n.stats.sessions : 0), 0),
    };
  }

  #forget(nowMs: number): void {
    for (const node of this.#nodes.forget(nowMs)) {
      this.#reservations.reset(node);
      this.#options.admission.forget(node);
      this.#options.forgotten?.(node);
    }
  }

  #ringOf(nodes: readonly Candidate[]): Ring {
    const key = nodes
      .map((n) => `${n.node}=${n.weight}`)
      .sort()
      .join();
    if (this.#ring?.key !== key) {
      this.#ring = { key, ring: buildRing(nodes) };
    }
    return this.#ring.ring;
  }
}
