import { monotonicNow } from '@evenkeel/pace';
import type { MoveFrame } from '@evenkeel/protocol/wire';
import * as limits from '../limits.js';
import type { EdgeSocket } from '../transport/edge-socket.js';

/**
 * Called when the mesh asks to move, before anything is dialled; may take most of `deadlineMs`.
 * @example
 * const beforeMove: BeforeMove = async ({ deadlineMs }) => console.log(`moving within ${deadlineMs} ms`);
 * const told = connect({ gateway, user, beforeMove });
 */
export type BeforeMove = (move: MoveFrame) => void | Promise<void>;

/** What a move needs of its connection. */
export interface MoveHost {
  dialTarget(move: Move): EdgeSocket;
  /** Too late, or nobody came: give the target up. */
  expired(move: Move, reason: string): void;
}

/**
 * One planned move, from the `move` frame to the new socket's `welcome`: waits (the application, then jitter), dials,
 * and watches the clock. What happens to events, topics and requests is the connection's business.
 */
export class Move {
  readonly frame: MoveFrame;
  /** The second socket, once dialled. */
  socket: EdgeSocket | undefined;
  /** The old socket has ended without `moved`. */
  isUnclean = false;
  #isOver = false;
  #wait: ReturnType<typeof setTimeout> | undefined;
  #deadline: ReturnType<typeof setTimeout>;
  readonly #host: MoveHost;

  constructor(frame: MoveFrame, host: MoveHost) {
    this.frame = frame;
    this.#host = host;
    this.#deadline = setTimeout(() => host.expired(this, 'deadline passed'), frame.deadlineMs);
  }

  /**
   * Dials after `beforeMove` has settled and a random part of `jitterMs` has passed, but at half of `deadlineMs` at the
   * latest (jitter) or three quarters of it (`beforeMove`): the rest is for the hand-off itself.
   */
  start(before: BeforeMove | undefined, random: () => number): void {
    const jitterMs = Math.min(random() * this.frame.jitterMs, this.frame.deadlineMs / 2);
    const begunAtMs = monotonicNow();
    const afterJitter = (): void => {
      if (this.#isOver || this.socket) return;
      const restMs = jitterMs - (monotonicNow() - begunAtMs);
      clearTimeout(this.#wait);
      if (restMs > 0) this.#wait = setTimeout(() => this.dial(), restMs);
      else this.dial();
    };
    if (!before) {
      afterJitter();
      return;
    }
    this.#wait = setTimeout(() => this.dial(), this.frame.deadlineMs * 0.75);
    // A fault of the hook is no reason to lose the move.
    void (async () => before(this.frame))().then(afterJitter, afterJitter);
  }

  /** Without further waiting. */
  dial(): void {
    if (this.#isOver || this.socket) return;
    clearTimeout(this.#wait);
    const socket = this.#host.dialTarget(this);
    this.socket = socket;
    this.#wait = setTimeout(() => {
      if (!socket.isOpen) this.#host.expired(this, 'not open in time');
    }, limits.attemptMs);
  }

  /** The old socket is out of use: wait for the new one only this much longer. */
  bound(ms: number): void {
    clearTimeout(this.#deadline);
    if (!this.#isOver) this.#deadline = setTimeout(() => this.#host.expired(this, 'no welcome in time'), ms);
  }

  /** Ends the waiting; the socket is left to the connection. */
  end(): void {
    this.#isOver = true;
    clearTimeout(this.#wait);
    clearTimeout(this.#deadline);
  }
}
