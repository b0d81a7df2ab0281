import { SimCell, seeded } from './world.js';

export interface LostCell {
  /** Requests a second at the gateway while the cell is down: the most within a second, and in the mean from the 60th second on. */
  readonly downPeak: number;
  readonly downMean: number;
  /** The same when it is there again, until all are back. */
  readonly backPeak: number;
  /** Seconds from its return until half, 99 of 100, and all are back. */
  readonly halfBackS: number;
  readonly mostBackS: number;
  readonly allBackS: number;
  /** Requests a client made in the mean. */
  readonly requestsPerClient: number;
}

const tickMs = 10;
const limitS = 3_600;

/**
 * A cell with its broker and edges is lost at time 0, and there again after `downS`: each of its clients asks the gateway within a second, and
 * comes back when it was told to, as the SDK does. The placement, the slots and the times to come back are the real ones.
 */
export function loseCell(
  sizes: { readonly sessions: number; readonly edges: number; readonly downS: number },
  seed: number,
): LostCell {
  const { sessions, edges, downS } = sizes;
  const random = seeded(seed);
  const cell = new SimCell('lost', edges, random);
  const due = new Map<number, number[]>();
  const ask = (client: number, atMs: number): void => {
    const tick = Math.ceil(atMs / tickMs);
    const others = due.get(tick);
    if (others === undefined) due.set(tick, [client]);
    else others.push(client);
  };
  for (let client = 0; client < sessions; client++) ask(client, random() * 1_000);
  const perSecond: number[] = [];
  const backAtS: number[] = [];
  for (let tick = 0; backAtS.length < sessions && tick * tickMs < limitS * 1_000; tick++) {
    const nowMs = tick * tickMs;
    const second = Math.floor(nowMs / 1_000);
    if (nowMs % 1_000 === 0) {
      perSecond.push(0);
      if (second >= downS) cell.report(nowMs);
    }
    for (const client of due.get(tick) ?? []) {
      perSecond[second] = (perSecond[second] ?? 0) + 1;
      // Its session's queue has outlived its broker: it comes back to it.
      const placed = cell.placer.place({ uid: `user-${client}`, sid: `s${client}` }, nowMs);
      if (placed.kind === 'placed') {
        cell.arrive(placed.node);
        backAtS.push(nowMs / 1_000 - downS);
      } else ask(client, nowMs + placed.retryAfterSeconds * 1_000 * (1 + random()));
    }
    due.delete(tick);
  }
  const down = perSecond.slice(0, downS);
  const steady = down.slice(60);
  const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0);
  const backAt = (part: number) =>
    Math.round(backAtS[Math.ceil(part * sessions) - 1] ?? Number.POSITIVE_INFINITY);
  return {
    downPeak: Math.max(...down),
    downMean: Math.round(sum(steady) / Math.max(1, steady.length)),
    backPeak: Math.max(...perSecond.slice(downS)),
    halfBackS: backAt(0.5),
    mostBackS: backAt(0.99),
    allBackS: backAt(1),
    requestsPerClient: Math.round((sum(perSecond) / sessions) * 10) / 10,
  };
}
