import type { MoverCounts } from '../fleet/messages.js';

/** How fast it went where nothing held it up on purpose. */
export interface Pace {
  readonly askedPerSecond: number;
  readonly perSecond: number;
  readonly mover: MoverCounts;
  /** Part of the machine's processors that was used, 0 to 1. */
  readonly processors: number;
}

/** From this part on of what was asked for, a pace is the one asked for. */
const enoughPart = 0.95;
/** A turn's reason counts when it held in this part of the turns. */
const oftenPart = 0.25;
/** Processors used to this part are used up. */
const usedUpPart = 0.9;

/**
 * Why there were fewer moves than asked for, in words; none: there were enough. Undefined: too few, and nothing that was
 * seen explains it.
 */
export function whySlower({ askedPerSecond, perSecond, mover, processors }: Pace): string[] | undefined {
  if (perSecond >= askedPerSecond * enoughPart) return [];
  const turns = Math.max(1, mover.turnsDue);
  const percent = (part: number) => `${Math.round(part * 100)} %`;
  const reasons: string[] = [];
  if (mover.turnsAtLimit / turns >= oftenPart)
    reasons.push(
      `as many moves as may be were under way in ${percent(mover.turnsAtLimit / turns)} of the turns`,
    );
  if (mover.turnsNobodyFree / turns >= oftenPart)
    reasons.push(`everybody was in a move or away in ${percent(mover.turnsNobodyFree / turns)} of the turns`);
  if (mover.leftOut >= (mover.leftOut + mover.asked) * (1 - enoughPart))
    reasons.push(`client processes ran late, ${mover.leftOut} moves were left out`);
  if (processors >= usedUpPart) reasons.push(`the processors were used to ${percent(processors)}`);
  return reasons.length === 0 ? undefined : reasons;
}

/** Adds up moves and time while nothing holds the moves up on purpose. */
export class PaceWatch {
  #moves = 0;
  #ms = 0;
  #since: { moves: number; atMs: number } | undefined;

  begin(moves: number, nowMs: number): void {
    this.#since = { moves, atMs: nowMs };
  }

  /** From now on moves are held up. */
  end(moves: number, nowMs: number): void {
    if (this.#since === undefined) return;
    this.#moves += moves - this.#since.moves;
    this.#ms += nowMs - this.#since.atMs;
    this.#since = undefined;
  }

  get perSecond(): number {
    return this.#ms === 0 ? 0 : (this.#moves / this.#ms) * 1_000;
  }
}
