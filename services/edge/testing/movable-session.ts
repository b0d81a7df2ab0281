import type { PassHold } from '@evenkeel/protocol';
import type { Movable } from '../src/move/departures.js';
import { Pin } from '../src/session/pin.js';
import type { PlannedMove } from '../src/session/planned-move.js';

/** A session as departures see it. */
export class FakeSession implements Movable {
  readonly key: string;
  readonly claims: { uid: string; sid: string; epoch: number };
  readonly frames: Record<string, unknown>[] = [];
  readonly connection: { isOpen: boolean; isBare: boolean; send: (text: string) => boolean };
  readonly load = { activeAtMs: 0, eventsPerSecond: 0, bytesPerSecond: 0 };
  readonly pin = new Pin(Date.now);
  readonly access: { hold: PassHold | undefined } = { hold: undefined };
  move: PlannedMove | undefined;
  isAttached = true;
  closedWith: number | undefined;

  constructor(sid: string, isBare = false) {
    this.claims = { uid: 'u', sid, epoch: 5 };
    this.key = `u.${sid}`;
    this.connection = { isOpen: true, isBare, send: (text) => this.frames.push(JSON.parse(text)) > 0 };
  }

  get isMovable(): boolean {
    return this.isAttached && this.move === undefined && !this.pin.isHeld;
  }

  get state(): 'attached' | 'moved' {
    return this.isAttached ? 'attached' : 'moved';
  }

  close(why: { code: number }): void {
    this.closedWith = why.code;
  }

  end(outcome: 'done' | 'failed' | 'timedOut'): void {
    const { move } = this;
    this.move = undefined;
    move?.onEnd(outcome);
  }
}
