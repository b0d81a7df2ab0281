/** `low`: newcomers are kept off; `short`: sessions are to go elsewhere. */
export type Level = 'calm' | 'low' | 'short';

/** Parts of a memory limit: from which a level is reached, and below which it is left again. */
const marks = {
  lowFrom: 0.85,
  calmBelow: 0.75,
  shortFrom: 0.95,
  lowBelow: 0.9,
} as const;

/** How long it must be over the mark before it counts as low, ms; over the second mark only until the next look. */
const holdMs = 3_000;
/** How long it must be below the mark before newcomers are let in again, ms. */
const calmMs = 10_000;
/** Garbage is collected before a level rises, unless it was within this, ms. */
const collectedMs = 10_000;
/** And this often while memory is low: V8 collects nothing by itself in a process that has little to do, ms. */
const recollectMs = 30_000;

/** What a look has come to. */
export interface Look {
  readonly level: Level;
  /** Garbage is to be collected before the next look: what is used may be little else. */
  readonly collects: boolean;
}

/** How near to its memory limit a process is, from one look a second. Takes the time as an argument. */
export class Pressure {
  #level: Level = 'calm';
  /** Since when it has been over the mark of the next level. */
  #overSinceMs: number | undefined;
  /** Since when it has been calm again. */
  #belowSinceMs: number | undefined;
  #collectedAtMs = Number.NEGATIVE_INFINITY;

  /** @param part of the limit that is used. */
  look(part: number, nowMs: number): Look {
    const collects = this.#rises(part, nowMs) || this.#isDue(part, nowMs);
    if (collects) this.#collectedAtMs = nowMs;
    else this.#falls(part, nowMs);
    return { level: this.#level, collects };
  }

  /** @returns whether garbage is to be collected first. */
  #rises(part: number, nowMs: number): boolean {
    const from = this.#level === 'calm' ? marks.lowFrom : marks.shortFrom;
    if (this.#level === 'short' || part < from) {
      this.#overSinceMs = undefined;
      return false;
    }
    this.#overSinceMs ??= nowMs;
    const overMs = nowMs - this.#overSinceMs;
    if (part >= marks.shortFrom ? overMs === 0 : overMs < holdMs) return false;
    if (nowMs - this.#collectedAtMs >= collectedMs) return true;
    this.#level = this.#level === 'calm' ? 'low' : 'short';
    this.#overSinceMs = undefined;
    return false;
  }

  #isDue(part: number, nowMs: number): boolean {
    return this.#level !== 'calm' && part >= marks.calmBelow && nowMs - this.#collectedAtMs >= recollectMs;
  }

  #falls(part: number, nowMs: number): void {
    if (this.#level === 'short' && part < marks.lowBelow) this.#level = 'low';
    if (this.#level === 'calm' || part >= marks.calmBelow) {
      this.#belowSinceMs = undefined;
      return;
    }
    this.#belowSinceMs ??= nowMs;
    if (nowMs - this.#belowSinceMs < calmMs) return;
    this.#level = 'calm';
    this.#belowSinceMs = undefined;
  }
}
