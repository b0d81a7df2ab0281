import { Copies, Roster } from '@evenkeel/mesh';
import type { PresenceNews } from '@evenkeel/protocol';
import { OwnMembers, type Place } from '../src/topic/presence/members.js';

const graceMs = 2_000;
const beatMs = 1_000;
const batchMs = 50;

/** One edge as presence sees it. */
export class PresenceEdge {
  readonly roster: Roster;
  readonly members: OwnMembers;
  readonly copies: Copies;
  readonly boot: string;
  readonly node: string;
  isUp = true;
  beatAtMs = 0;

  constructor(node: string, boot: string, world: PresenceWorld) {
    this.node = node;
    this.boot = boot;
    this.roster = new Roster({
      onChange: (topic, uid, isHere) => {
        if (this.isUp) world.seen.push({ node, topic, uid, isHere });
      },
    });
    const now = () => world.nowMs;
    this.members = new OwnMembers({ roster: this.roster, graceMs, max: 100_000, now, wallNow: now });
    this.copies = new Copies({
      roster: this.roster,
      ask: (to, ofBoot) => world.snapshot(this, to, ofBoot),
      onEntered: this.members.enteredElsewhere.bind(this.members),
    });
  }
}

/** Edges that tell each other who is where, over a network that loses and doubles deltas, in a time of its own. */
export class PresenceWorld {
  nowMs = 0;
  /** What each edge's view has shown. */
  readonly seen: { node: string; topic: string; uid: string; isHere: boolean }[] = [];
  readonly edges: PresenceEdge[];
  readonly #random: () => number;
  readonly #lossy: number;
  /** With when it arrives. */
  readonly #underWay: { atMs: number; to: PresenceEdge; news: PresenceNews }[] = [];
  /** Places of sessions: by `<topic> <uid>.<sid>`. */
  readonly places = new Map<string, { edge: PresenceEdge; place: Place }>();
  #boots = 0;

  constructor(count: number, random: () => number, lossy: number) {
    this.#random = random;
    this.#lossy = lossy;
    this.edges = Array.from({ length: count }, (_, i) => this.#boot(`edge-${i + 1}`));
  }

  enter(at: number, topic: string, uid: string, sid: string): void {
    const edge = this.edges[at % this.edges.length];
    const key = `${topic} ${uid}.${sid}`;
    const place = edge?.members.enter(topic, { uid, sid }, undefined);
    if (!edge || !place) return;
    // As a newer connection of a session puts an end to the older one.
    this.leave(key, this.places.get(key)?.edge === edge ? 'lost' : 'moved');
    this.places.set(key, { edge, place });
  }

  leave(key: string, how: 'left' | 'lost' | 'moved'): void {
    const held = this.places.get(key);
    this.places.delete(key);
    held?.place.leave(how);
  }

  /** Its process is gone, with all sockets; another one takes its name. */
  crash(at: number): void {
    const index = at % this.edges.length;
    const edge = this.edges[index];
    if (!edge) return;
    edge.isUp = false;
    for (const [key, held] of this.places) if (held.edge === edge) this.places.delete(key);
    this.edges[index] = this.#boot(edge.node);
  }

  snapshot(asker: PresenceEdge, node: string, boot: string): void {
    const edge = this.edges.find((each) => each.node === node && each.boot === boot);
    if (!edge) return;
    this.#flush(edge);
    for (const news of edge.members.snapshot(node, boot)) this.#send(asker, news);
  }

  run(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs += batchMs) {
      for (const news of this.#underWay.splice(0)) {
        if (news.atMs > this.nowMs) this.#underWay.push(news);
        else if (news.to.isUp && news.news.t !== 'sessions') news.to.copies.take(news.news, this.nowMs);
      }
      for (const edge of this.edges) {
        edge.members.sweep();
        edge.copies.sweep(this.nowMs);
        this.#flush(edge);
        if (this.nowMs - edge.beatAtMs < beatMs) continue;
        edge.beatAtMs = this.nowMs;
        const { node, boot } = edge;
        this.#tell(edge, { t: 'beat', node, boot, seq: edge.members.seq });
      }
    }
  }

  #flush(edge: PresenceEdge): void {
    for (const delta of edge.members.deltas(edge.node, edge.boot)) this.#tell(edge, delta);
  }

  #tell(from: PresenceEdge, news: PresenceNews): void {
    for (const to of this.edges) {
      if (to === from) continue;
      const chance = news.t === 'delta' ? this.#random() : 1;
      if (chance < this.#lossy) continue;
      this.#send(to, news);
      if (chance < 2 * this.#lossy) this.#send(to, news);
    }
  }

  #send(to: PresenceEdge, news: PresenceNews): void {
    this.#underWay.push({ atMs: this.nowMs + batchMs, to, news });
  }

  #boot(node: string): PresenceEdge {
    this.#boots += 1;
    return new PresenceEdge(node, `boot-${this.#boots}`, this);
  }
}
