import { goneMs } from './copies.js';

/** Edges give a sign of life each second: something keeps one that is so late, ms. */
const lateMs = 2_000;
/** What all edges have said stands so long where they fall silent at once, ms: as their statistics do. */
const lastViewMs = 60_000;

/**
 * Tells whether edges are silent because what is published does not come through, as while a memory or disk alarm blocks
 * publishing: then nobody is judged by it. An edge knows by its own signs of life. Who has none takes it so where all fall
 * silent at once. Time is an argument.
 */
export class Silence {
  readonly #hasOwn: boolean;
  #heardAtMs = Number.NEGATIVE_INFINITY;

  constructor({ hasOwn }: { hasOwn: boolean }) {
    this.#hasOwn = hasOwn;
  }

  heard(isOwn: boolean, nowMs: number): void {
    if (isOwn || !this.#hasOwn) this.#heardAtMs = nowMs;
  }

  /** It could not hear anybody until now. */
  begin(nowMs: number): void {
    this.heard(false, nowMs);
  }

  isBlocked(nowMs: number): boolean {
    const silentMs = nowMs - this.#heardAtMs;
    // Who is not excused any more is gone `goneMs` later.
    return silentMs > lateMs && (this.#hasOwn || silentMs <= lastViewMs - goneMs);
  }
}
