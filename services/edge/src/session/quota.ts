import { Allowance } from '@evenkeel/pace';
import type { Load, RefusedFor } from './load.js';
import type { UserUse } from './ports.js';

export interface QuotaLimits {
  readonly framesPerSecond: number;
  readonly framesBurst: number;
  readonly bytesPerSecond: number;
  readonly bytesBurst: number;
  readonly maxWaitingBytes: number;
  readonly maxWaitingBytesPerUser: number;
  /** However low the others are, one frame of this length is taken. */
  readonly maxPayloadBytes: number;
}

/** A refusal costs more the longer the frame is that had to be read for it. */
const bytesPerRefusal = 8_192;
/** So many refusals at once, as parts of what is let through in a second. */
const refusalSeconds = 10;

/**
 * What one connection may send. Everything counts but acknowledgements that get on, which events have paid for. Made with the
 * first frame that counts: most connections never send one.
 */
export class Quota {
  readonly #limits: QuotaLimits;
  readonly #user: UserUse;
  readonly #load: Load;
  readonly #now: () => number;
  #frames: Allowance | undefined;
  #bytes: Allowance | undefined;
  #refusals: Allowance | undefined;
  #waitingBytes = 0;

  constructor(limits: QuotaLimits, user: UserUse, load: Load, now: () => number) {
    this.#limits = limits;
    this.#user = user;
    this.#load = load;
    this.#now = now;
  }

  /** One frame more, of this connection and of its user. */
  takesFrame(): boolean {
    const { framesPerSecond, framesBurst } = this.#limits;
    this.#frames ??= new Allowance(framesPerSecond, framesBurst, this.#now);
    if (!this.#frames.tryTake()) return false;
    if (this.#user.frames.tryTake()) return true;
    // Refused for the others' sake, it is not to cost this connection what it has.
    this.#frames.giveBack(1);
    return false;
  }

  /** So many bytes more, of this connection and of its user. */
  takesBytes(count: number): boolean {
    const { bytesPerSecond, bytesBurst, maxPayloadBytes } = this.#limits;
    this.#bytes ??= new Allowance(bytesPerSecond, Math.max(bytesBurst, maxPayloadBytes), this.#now);
    if (!this.#bytes.tryTake(count)) return false;
    if (this.#user.bytes.tryTake(count)) return true;
    this.#bytes.giveBack(count);
    return false;
  }

  /** A topic that this edge does not have yet. */
  takesTopicName(): boolean {
    return this.#user.topicNames.tryTake();
  }

  /** A new token. */
  takesRefresh(): boolean {
    return this.#user.refreshes.tryTake();
  }

  /** Whether so many bytes more may wait for the broker; then to be given back with `settled`. */
  mayWait(bytes: number): boolean {
    const { maxWaitingBytes, maxWaitingBytesPerUser, maxPayloadBytes } = this.#limits;
    if (this.#waitingBytes + bytes > Math.max(maxWaitingBytes, maxPayloadBytes)) return false;
    if (this.#user.waitingBytes + bytes > Math.max(maxWaitingBytesPerUser, maxPayloadBytes)) return false;
    this.#waitingBytes += bytes;
    this.#user.waitingBytes += bytes;
    return true;
  }

  settled(bytes: number): void {
    this.#waitingBytes -= bytes;
    this.#user.waitingBytes -= bytes;
  }

  /**
   * A frame was refused; `bytes`: of it, where it had to be read. False: so many were, one after another, that the client does not
   * heed it.
   */
  refuses(why: RefusedFor, bytes = 0): boolean {
    const { framesPerSecond, framesBurst } = this.#limits;
    this.#load.refused[why] += 1;
    const atOnce = Math.max(framesBurst, framesPerSecond * refusalSeconds);
    this.#refusals ??= new Allowance(framesPerSecond, atOnce, this.#now);
    const isHeeded = this.#refusals.tryTake(1 + Math.floor(bytes / bytesPerRefusal));
    if (!isHeeded) this.#load.offenders += 1;
    return isHeeded;
  }
}
