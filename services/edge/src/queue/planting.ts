import { Rush } from './rush.js';

/** Seals planted at a time at most. */
const atOnce = 8;
/** While events are written it is one, and one more for so many that are overdue; each rests behind it so many times as long as it took. */
const beside = { overduePerTurn: 64, rests: 3 };
/** So many sessions being made at a time are a crowd; and so many a second, over so long, ms. */
const crowd = { atATime: 8, perSecond: 60, overMs: 300 };
/** So many events a second are a flow, which seals are planted beside one by one; over so long, ms. */
const flow = { perSecond: 25, overMs: 50 };
/** So many are a rush, which seals wait for: less than a tenth of what one edge writes at most, a fifth where all is on one small machine. */
const rush = { perSecond: 500, overMs: 50 };
/** A message of a topic goes to so many subscribers with the work of one event. */
const subscribersPerEvent = 25;
/** How often it is looked whether crowd and rush have passed, ms. */
const lookMs = 100;
/** Longest that a seal waits for them to pass before it is overdue, ms. */
export const longestWaitMs = 5_000;

interface Turn {
  readonly dueAtMs: number;
  end(isOn: boolean): void;
}

export interface PlantingOptions {
  /** Events written so far. */
  written(): number;
  /** Messages of topics written so far, counted by each subscriber. */
  topicFrames(): number;
  /** A clock that nobody sets, ms. */
  now(): number;
}

/**
 * When the first seals of new sessions are planted, and those that moved sessions have left are put back. A seal is a binding and a
 * message that is kept, as much work for the broker as the session itself: while a crowd comes in or moves away, or a rush of events and
 * messages goes out, it waits, since only an edge that dies within those seconds lets anybody notice (its sessions are told a gap, in vain
 * perhaps). Whoever leaves for good does not wait.
 */
export class Planting {
  readonly #now: () => number;
  readonly #waiting = new Map<string, Turn>();
  readonly #crowd: Rush;
  readonly #flow: Rush;
  readonly #rush: Rush;
  /** Sessions that were made here, and that moved away. */
  #made = 0;
  #making = 0;
  #planting = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ written, topicFrames, now }: PlantingOptions) {
    this.#now = now;
    this.#crowd = new Rush(() => this.#made, { ...crowd, now });
    const events = () => written() + topicFrames() / subscribersPerEvent;
    this.#flow = new Rush(events, { ...flow, now });
    this.#rush = new Rush(events, { ...rush, now });
  }

  /** The first seals of new sessions wait. */
  get isCrowded(): boolean {
    return this.#crowd.isOn || this.#making >= crowd.atATime;
  }

  /** A session is being made. */
  async making<T>(made: Promise<T>): Promise<T> {
    this.#making += 1;
    this.#made += 1;
    try {
      return await made;
    } finally {
      this.#making -= 1;
      this.#pump();
    }
  }

  /** A session has moved away. */
  left(): void {
    this.#made += 1;
  }

  /** Plants, or puts back, when it is this session's turn; one that it waits for already comes first. False: it was called off. */
  async inTurn(session: string, plant: () => Promise<boolean>): Promise<boolean> {
    this.hurry(session);
    const isOn = await new Promise<boolean>((resolve) => {
      this.#waiting.set(session, { dueAtMs: this.#now() + longestWaitMs, end: resolve });
      this.#pump();
    });
    if (!isOn) return false;
    const begunAtMs = this.#now();
    try {
      return await plant();
    } finally {
      const restMs = this.#flow.isOn ? beside.rests * (this.#now() - begunAtMs) : 0;
      if (restMs > 0) setTimeout(() => this.#end(), restMs).unref();
      else this.#end();
    }
  }

  /** It is this session's turn, if it waits. */
  hurry(session: string): void {
    const turn = this.#waiting.get(session);
    if (turn) this.#begin(session, turn);
  }

  /** It is not to come any more. */
  callOff(session: string): void {
    const turn = this.#waiting.get(session);
    this.#waiting.delete(session);
    turn?.end(false);
  }

  /** How many may be planted at a time now. */
  get #most(): number {
    if (!this.#flow.isOn) return atOnce;
    const nowMs = this.#now();
    let overdue = 0;
    for (const { dueAtMs } of this.#waiting.values()) {
      if (dueAtMs > nowMs || overdue === atOnce * beside.overduePerTurn) break;
      overdue += 1;
    }
    return Math.min(1 + Math.floor(overdue / beside.overduePerTurn), atOnce);
  }

  #pump(): void {
    const most = this.#waiting.size === 0 ? 0 : this.#most;
    for (const [session, turn] of this.#waiting) {
      const leftMs = turn.dueAtMs - this.#now();
      if (this.#planting >= most) return;
      if (leftMs > 0 && (this.isCrowded || this.#rush.isOn)) return this.#pumpIn(Math.min(leftMs, lookMs));
      this.#begin(session, turn);
    }
  }

  #begin(session: string, turn: Turn): void {
    this.#waiting.delete(session);
    this.#planting += 1;
    turn.end(true);
  }

  #end(): void {
    this.#planting -= 1;
    this.#pump();
  }

  #pumpIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pump(), ms);
    this.#timer.unref();
  }
}
