import { afterClose, type closeCodes, type MovedFrame, type MoveFrame } from '@evenkeel/protocol/wire';
import type { Calls } from '../calls/calls.js';
import type { Acks } from '../events/acks.js';
import type { EventQueue } from '../events/event-queue.js';
import * as limits from '../limits.js';
import type { StatusFeed } from '../status.js';
import type { Topics } from '../topics/topics.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { type BeforeMove, Move, type MoveHost } from './move.js';

// Written out, so that bundles do not carry the whole table.
const moved: Pick<(typeof closeCodes)['moved'], 'code' | 'reason'> = { code: 4001, reason: 'moved' };
export const superseded: (typeof closeCodes)['superseded']['code'] = 4501;

/** The connection that is moved. */
export interface MoverHost {
  readonly options: { readonly beforeMove?: BeforeMove | undefined };
  readonly random: () => number;
  /** The socket that delivers events and takes calls. */
  activeSocket: EdgeSocket | undefined;
  readonly statusFeed: StatusFeed;
  readonly eventQueue: EventQueue;
  readonly topicTable: Topics;
  readonly calls: Calls;
  readonly acks: Acks;
  open(url: string, ticket: string, node: string | undefined): EdgeSocket;
  flushNow(): void;
  /** The gateway is to choose another node next. */
  avoid(node: string | undefined): void;
  /** No socket is left. `isAtOnce`: come back without waiting. */
  lost(code: number, reason: string, isAtOnce: boolean): void;
}

/** Planned moves of one connection: PROTOCOL.md, section 4, with what is done when a party dies in between. */
export class Mover implements MoveHost {
  #move: Move | undefined;
  /**
   * The old socket, when the new one's `welcome` has overtaken its `moved` (two sockets, two paths). Events come from
   * the new socket then; calls wait for `moved` a moment longer, and topics as long as the edge keeps the old socket:
   * `moved` is under way, however slowly that is read.
   */
  #old: EdgeSocket | undefined;
  #oldTimer: ReturnType<typeof setTimeout> | undefined;
  #callsTimer: ReturnType<typeof setTimeout> | undefined;
  /** Nothing may be sent now: it is not settled yet which socket has taken what. */
  holdsAll = false;
  /** A move that waits until there is no old socket: with a third one, topics would come from three. */
  #onSettled: (() => void) | undefined;
  /** The last that was begun: the same once more is another try, with another ticket. */
  #begun = '';
  readonly #host: MoverHost;

  constructor(host: MoverHost) {
    this.#host = host;
  }

  /** The second socket, once dialled. */
  get socket(): EdgeSocket | undefined {
    return this.#move?.socket;
  }
  /** The second socket was told the topics in its hello: a change goes to it once it is the one. */
  get holdsTopics(): boolean {
    return this.socket?.isOpen === true;
  }

  /** The newest move wins: an edge that asks again has given the earlier one up. */
  begin(frame: MoveFrame): void {
    const earlier = this.#move;
    if (earlier?.frame.move === frame.move && earlier.frame.ticket === frame.ticket) return;
    earlier?.end();
    if (earlier?.socket) {
      earlier.socket.close(1000);
      this.#host.topicTable.forgetKept();
    }
    this.#move = new Move(frame, this);
    this.#host.flushNow();
    this.#host.statusFeed.emit({ type: 'moving', move: frame.move, reason: frame.reason });
    const before = this.#hookOf(frame);
    this.#begun = frame.move;
    this.#move.start(this.#old ? () => this.#afterOld(frame, before) : before, this.#host.random);
  }

  /** The application is asked once a move, however often its edge has to try: what is in front may bring the socket back. */
  #hookOf({ move }: MoveFrame): BeforeMove | undefined {
    return move === this.#begun ? undefined : this.#host.options.beforeMove;
  }

  async #afterOld(frame: MoveFrame, before: BeforeMove | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onSettled = resolve;
    });
    if (this.#move?.frame === frame) await before?.(frame);
  }

  dialTarget({ frame }: Move): EdgeSocket {
    this.#settleOld(false);
    this.#host.topicTable.finish();
    this.#host.topicTable.forgetKept();
    return this.#host.open(frame.url, frame.ticket, (frame as { node?: string }).node);
  }

  expired(move: Move, reason: string): void {
    if (move === this.#move) this.targetEnded(1006, reason);
  }

  /** `moved` has come on the active socket, or late on the old one. */
  moved(socket: EdgeSocket, { received, mark }: MovedFrame): void {
    const host = this.#host;
    const move = this.#move;
    if (socket.isMoved) return;
    socket.isMoved = true;
    host.calls.moved(socket, received);
    if (socket === this.#old) {
      this.#settleOld(true, mark);
      return;
    }
    if (socket !== host.activeSocket) return;
    host.eventQueue.flushAfter(socket);
    if (move?.socket) {
      host.topicTable.takeLive(move.socket, true, mark);
      move.bound(limits.moveGraceMs);
      return;
    }
    // Given away with no second socket of ours: ask the gateway where it is.
    this.#leave(socket);
    host.lost(moved.code, moved.reason, true);
  }

  /** The second socket is the one; `activeSocket` has been set to it. Returns the identity of the move. */
  welcomed(before: EdgeSocket | undefined): string {
    const host = this.#host;
    const move = this.#move;
    move?.end();
    this.#move = undefined;
    host.acks.flushNow();
    if (before && !before.isMoved) {
      this.#old = before;
      this.holdsAll = true;
      this.#callsTimer = setTimeout(() => this.#freeCalls(before), limits.overtakenCallsMs);
      this.#oldTimer = setTimeout(() => this.#settleOld(false), limits.overtakenMs);
    } else before?.close(1000);
    // Only now: before, the new edge may not have had its topics, and what was published is missing.
    if (move?.isUnclean && move.socket) host.topicTable.takeLive(move.socket, false);
    return move?.frame.move ?? '';
  }

  /** The active socket has ended; true when the move carries on without it. */
  activeEnded(socket: EdgeSocket, code: number): boolean {
    this.#settleOld(false);
    const move = this.#move;
    // 4501 in a move: our own new socket may be the one that has won.
    if (!move || (afterClose(code) === 'stop' && code !== superseded)) return false;
    move.dial();
    move.isUnclean = !socket.isMoved;
    if (move.isUnclean) this.#host.calls.lost(socket);
    move.bound(limits.moveGraceMs);
    return true;
  }

  /** True when it was the old socket that ended. */
  oldEnded(socket: EdgeSocket): boolean {
    if (socket !== this.#old) return false;
    this.#settleOld(false);
    return true;
  }

  /** The second socket came to nothing: stay on the first, or come back through the gateway if that is used up. */
  targetEnded(code: number, reason: string): void {
    const host = this.#host;
    const move = this.#move;
    if (!move) return;
    this.end();
    host.topicTable.forgetKept();
    host.statusFeed.emit({ type: 'move-failed', move: move.frame.move, reason });
    const { activeSocket } = host;
    if (activeSocket && !activeSocket.isMoved) {
      host.flushNow();
      return;
    }
    if (activeSocket) this.#leave(activeSocket);
    host.avoid((move.frame as { node?: string }).node);
    host.lost(code, reason, true);
  }

  /** Gives up whatever is under way. */
  end(): void {
    this.#settleOld(false);
    this.#move?.end();
    this.#move?.socket?.drop();
    this.#move = undefined;
  }

  /** What the old edge took is unknown: all goes again, with the same ids. */
  #freeCalls(old: EdgeSocket): void {
    this.holdsAll = false;
    this.#host.calls.lost(old);
    this.#host.flushNow();
  }

  /** `isClean`: the old socket has said that it had finished. */
  #settleOld(isClean: boolean, mark?: string): void {
    const old = this.#old;
    const host = this.#host;
    if (!old) return;
    clearTimeout(this.#callsTimer);
    clearTimeout(this.#oldTimer);
    this.#old = undefined;
    this.holdsAll = false;
    old.close(1000);
    if (host.activeSocket) {
      if (!isClean) host.calls.lost(old);
      host.topicTable.takeLive(host.activeSocket, isClean, mark);
    } else host.calls.lost(old);
    host.flushNow();
    this.#onSettled?.();
  }

  #leave(socket: EdgeSocket): void {
    this.#host.acks.flushNow();
    socket.close(1000);
    this.#host.activeSocket = undefined;
  }
}
