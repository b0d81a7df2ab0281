import { afterClose, closeCodes, type MoveFrame } from '@evenkeel/protocol/wire';
import type { Requests } from '../calls/calls.js';
import type { Acks } from '../events/acks.js';
import type { EventQueue } from '../events/event-queue.js';
import { type ConnectOptions, limits } from '../options.js';
import type { StatusFeed } from '../status.js';
import type { Topics } from '../topics/topics.js';
import type { Link } from '../transport/edge-socket.js';
import { Move, type MoveHost } from './move.js';

/** The connection that is moved. */
export interface MoverHost {
  /** The link that delivers events and takes requests. */
  active: Link | undefined;
  readonly status: StatusFeed;
  readonly events: EventQueue;
  readonly topics: Topics;
  readonly requests: Requests;
  readonly acks: Acks;
  open(url: string, ticket: string, node: string | undefined): Link;
  flush(): void;
  /** No socket is left. `isAtOnce`: come back without waiting. */
  lost(code: number, reason: string, isAtOnce: boolean): void;
}

/** Planned moves of one connection: PROTOCOL.md, section 4, with what is done when a party dies in between. */
export class Mover implements MoveHost {
  private move: Move | undefined;
  /**
   * The old link, when the new one's `welcome` has overtaken its `moved` (two sockets, two paths). Events come from
   * the new link then; topics and requests wait for `moved` a moment longer.
   */
  private old: Link | undefined;
  private oldTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly host: MoverHost;
  private readonly beforeMove: ConnectOptions['beforeMove'];
  private readonly random: () => number;

  constructor(host: MoverHost, beforeMove: ConnectOptions['beforeMove'], random: () => number) {
    this.host = host;
    this.beforeMove = beforeMove;
    this.random = random;
  }

  /** The second socket, once dialled. */
  get link(): Link | undefined {
    return this.move?.link;
  }
  /** Nothing may be sent now: it is not settled yet which socket has taken what. */
  get holdsAll(): boolean {
    return this.old !== undefined;
  }
  /** The second socket was told the topics in its hello: a change goes to it once it is the one. */
  get holdsTopics(): boolean {
    return this.link?.isOpen === true;
  }

  /** The newest move wins: an edge that asks again has given the earlier one up. */
  begin(frame: MoveFrame): void {
    const earlier = this.move;
    if (earlier?.frame.move === frame.move && earlier.frame.ticket === frame.ticket) return;
    this.settleOld(false);
    earlier?.end();
    earlier?.link?.close(1000);
    this.host.topics.forgetKept();
    this.move = new Move(frame, this);
    this.host.flush();
    this.host.status.emit({ type: 'moving', move: frame.move, reason: frame.reason });
    this.move.start(this.beforeMove, this.random);
  }

  dialTarget({ frame }: Move): Link {
    return this.host.open(frame.url, frame.ticket, (frame as { node?: string }).node);
  }

  expired(move: Move, reason: string): void {
    if (move === this.move) this.targetEnded(1006, reason);
  }

  /** `moved` has come on the active link, or late on the old one. */
  moved(link: Link, received: number): void {
    const { host, move } = this;
    if (link.isMoved) return;
    link.isMoved = true;
    host.requests.moved(link, received);
    if (link === this.old) {
      this.settleOld(true);
      return;
    }
    if (link !== host.active) return;
    host.events.flushAfter(link);
    if (move?.link) {
      host.topics.takeLive(move.link, true);
      move.bound(limits.moveGraceMs);
      return;
    }
    // Given away with no second socket of ours: ask the gateway where it is.
    this.leave(link);
    host.lost(closeCodes.moved.code, closeCodes.moved.reason, true);
  }

  /** The second socket is the one; `active` has been set to it. Returns the identity of the move. */
  welcomed(before: Link | undefined): string {
    const { host, move } = this;
    move?.end();
    this.move = undefined;
    host.acks.flush();
    if (before && !before.isMoved) {
      this.old = before;
      this.oldTimer = setTimeout(() => this.settleOld(false), limits.overtakenMs);
    } else before?.close(1000);
    return move?.frame.move ?? '';
  }

  /** The active link has ended; true when the move carries on without it. */
  activeEnded(link: Link, code: number): boolean {
    this.settleOld(false);
    const { move } = this;
    // 4501 in a move: our own new socket may be the one that has won.
    if (!move || (afterClose(code) === 'stop' && code !== closeCodes.superseded.code)) return false;
    move.dial();
    if (!link.isMoved && move.link) this.endUncleanly(link, move.link);
    move.bound(limits.moveGraceMs);
    return true;
  }

  /** True when it was the old link that ended. */
  oldEnded(link: Link): boolean {
    if (link !== this.old) return false;
    this.settleOld(false);
    return true;
  }

  /** The second socket came to nothing: stay on the first, or come back through the gateway if that is used up. */
  targetEnded(code: number, reason: string): void {
    const { host, move } = this;
    if (!move) return;
    this.end();
    host.topics.forgetKept();
    host.status.emit({ type: 'move-failed', move: move.frame.move, reason });
    const { active } = host;
    if (active && !active.isMoved) {
      host.flush();
      return;
    }
    if (active) this.leave(active);
    host.lost(code, reason, true);
  }

  /** Gives up whatever is under way. */
  end(): void {
    this.settleOld(false);
    this.move?.end();
    this.move?.link?.drop();
    this.move = undefined;
  }

  /** `isClean`: the old link has said that it had finished. */
  private settleOld(isClean: boolean): void {
    const { old, host } = this;
    if (!old) return;
    clearTimeout(this.oldTimer);
    this.old = undefined;
    old.close(1000);
    if (host.active) {
      if (isClean) host.topics.takeLive(host.active, true);
      else this.endUncleanly(old, host.active);
    } else host.requests.lost(old);
    host.flush();
  }

  /** What the old edge took is unknown: all goes again, with the same ids. */
  private endUncleanly(link: Link, target: Link): void {
    this.host.requests.lost(link);
    this.host.topics.takeLive(target, false);
  }

  private leave(link: Link): void {
    this.host.acks.flush();
    link.close(1000);
    this.host.active = undefined;
  }
}
