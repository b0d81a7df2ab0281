/** How the handshake ceiling of one edge follows how it fares. */
export interface CeilingRules {
  /** Handshakes a second that an edge in good health takes. */
  base: number;
  /** The ceiling never falls below this: an edge without handshakes reports nothing to recover by. */
  floor: number;
  /** p99 from hello to welcome that is to be kept, ms. */
  targetMs: number;
}

export const floorOf = (base: number): number => Math.max(1, base / 20);

/** Part of the ceiling that stays when an edge is over its target. */
const decrease = 0.7;
/** Part of the handshakes that an edge gets done down to which the ceiling falls at once: what one gateway may send while a backlog goes. */
const partOfDone = 0.8;
/** Part of the ceiling that stays below that: other gateways send as well, unseen from here. */
const slowDecrease = 0.9;
/** Part of the base that a good report adds. */
const increase = 0.05;
/** Time between two decreases: slow handshakes begun before the last one are still being reported. */
const patienceMs = 2_000;

/** A ceiling, and when it last fell. */
export interface Ceiling {
  readonly perSecond: number;
  readonly fellAtMs: number;
}

export const fullCeiling = (rules: CeilingRules): Ceiling => ({
  perSecond: rules.base,
  fellAtMs: Number.NEGATIVE_INFINITY,
});

/**
 * The next ceiling, once per statistics message: falls by a third, and slowly below what is nearly done, while handshakes are slower
 * than the target, rises by a twentieth of the base while they are well under it (0: there are none), else stays.
 */
export function nextCeiling(
  current: Ceiling,
  report: { handshakesPerSecond: number; handshakeP99Ms: number },
  rules: CeilingRules,
  nowMs: number,
): Ceiling {
  // Also that of an edge where nobody gets in at all: those who wait count.
  if (report.handshakeP99Ms > rules.targetMs) {
    if (nowMs - current.fellAtMs < patienceMs) return current;
    const nearlyDone = report.handshakesPerSecond * partOfDone;
    const slowly = Math.min(nearlyDone, current.perSecond * slowDecrease);
    const perSecond = Math.max(rules.floor, slowly, current.perSecond * decrease);
    return { perSecond, fellAtMs: nowMs };
  }
  if (report.handshakeP99Ms > rules.targetMs * 0.8) return current;
  return { ...current, perSecond: Math.min(rules.base, current.perSecond + rules.base * increase) };
}

/** Whether a ceiling has fallen so far behind the best of its peers that nobody should wait for this edge. */
export const isAiling = (ceiling: number, best: number): boolean => ceiling < best / 4;
