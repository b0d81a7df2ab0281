/** Dots that stand for sessions. Statistics say how many are where and not who: a dot that leaves a node goes to one that gains. */

export interface Dot {
  /** Where it is; undefined until it is drawn for the first time. */
  x: number | undefined;
  y: number;
  toX: number;
  toY: number;
  way: { fromX: number; fromY: number; atMs: number; ms: number; arcPx: number } | undefined;
  /** It has changed its node since it was last sent on its way. */
  hasMoved: boolean;
}

const newDot = (): Dot => ({ x: undefined, y: 0, toX: 0, toY: 0, way: undefined, hasMoved: true });

export class Dots {
  readonly #slots = new Map<string, Dot[]>();

  /** Dots of a node from the bottom up. */
  of(node: string): readonly Dot[] {
    return this.#slots.get(node) ?? [];
  }

  get all(): Dot[] {
    return [...this.#slots.values()].flat();
  }

  clear(): void {
    this.#slots.clear();
  }

  /** How many each node shall have: the fewest dots change their node, and those from the top do. */
  place(wanted: ReadonlyMap<string, number>): void {
    const leaving: Dot[] = [];
    for (const [node, slots] of this.#slots) {
      leaving.push(...slots.splice(wanted.get(node) ?? 0));
      if (!wanted.has(node)) this.#slots.delete(node);
    }
    for (const [node, count] of wanted) {
      const slots = this.#slots.get(node) ?? [];
      this.#slots.set(node, slots);
      while (slots.length < count) {
        const dot = leaving.pop() ?? newDot();
        dot.hasMoved = true;
        slots.push(dot);
      }
    }
  }
}

export interface Flight {
  readonly now: number;
  /** 0 to 1: moves that were seen in one view have not happened at one moment. */
  readonly random: () => number;
  readonly isStill: boolean;
}

const moveMs = 800;
const spreadMs = 500;
const settleMs = 350;

/** Sends a dot to its place. Without a way where nothing shall move. */
export function send(dot: Dot, toX: number, toY: number, { now, random, isStill }: Flight): void {
  const { hasMoved } = dot;
  dot.hasMoved = false;
  if (dot.x !== undefined && dot.toX === toX && dot.toY === toY) return;
  const isNew = dot.x === undefined;
  Object.assign(dot, { toX, toY });
  if (isStill) {
    Object.assign(dot, { x: toX, y: toY, way: undefined });
    return;
  }
  // A new one drops in from above.
  if (isNew) Object.assign(dot, { x: toX, y: 0 });
  const fromX = dot.x ?? toX;
  dot.way = {
    fromX,
    fromY: dot.y,
    atMs: now + (hasMoved ? random() * spreadMs : 0),
    ms: hasMoved ? moveMs : settleMs,
    arcPx: hasMoved && !isNew ? 24 + Math.abs(toX - fromX) * 0.08 : 0,
  };
}

/** Moves it on; whether it goes on moving. */
export function step(dot: Dot, now: number, topPx: number): boolean {
  const { way, toX, toY } = dot;
  if (way === undefined) return false;
  const part = Math.min(1, Math.max(0, (now - way.atMs) / way.ms));
  if (part >= 1) {
    Object.assign(dot, { x: toX, y: toY, way: undefined });
    return false;
  }
  const eased = part < 0.5 ? 4 * part ** 3 : 1 - (-2 * part + 2) ** 3 / 2;
  dot.x = way.fromX + (toX - way.fromX) * eased;
  dot.y = Math.max(topPx, way.fromY + (toY - way.fromY) * eased - way.arcPx * 4 * eased * (1 - eased));
  return true;
}
