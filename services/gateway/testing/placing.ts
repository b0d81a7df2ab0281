import type { NodeStats } from '@evenkeel/protocol';
import { statsOf } from '@evenkeel/testkit';
import { Admission } from '../src/admission/admission.js';
import { floorOf } from '../src/admission/ceiling.js';
import { ruleDefaults } from '../src/placement/choose.js';
import { Placer, type PlacerOptions } from '../src/placement/placer.js';

/** Statistics of an edge at the beginning of time. */
export const stats = (node: string, over: Partial<NodeStats> = {}): NodeStats =>
  statsOf(node, { at: 0, capacity: 20_000, sessions: over.connections ?? 0, ...over });

/** A small generator with a seed: a failing history is reproduced by its seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A placer whose rates are out of the way unless given. */
export function placer(
  over: Partial<{
    base: number;
    newSessionsPerSecond: number;
    seed: number;
    rules: Partial<PlacerOptions['rules']>;
    forgotten: (node: string) => void;
  }> = {},
): Placer {
  const base = over.base ?? 1_000_000;
  return new Placer({
    rules: { ...ruleDefaults, ...over.rules },
    admission: new Admission(
      {
        ceiling: { base, floor: floorOf(base), targetMs: 250 },
        newSessionsPerSecond: over.newSessionsPerSecond ?? 1_000_000,
      },
      0,
    ),
    reservationMs: 30_000,
    reservationsPerUser: 8,
    random: seeded(over.seed ?? 1),
    ...(over.forgotten && { forgotten: over.forgotten }),
  });
}

export const counted = (nodes: Iterable<string>) => {
  const counts = new Map<string, number>();
  for (const node of nodes) counts.set(node, (counts.get(node) ?? 0) + 1);
  return counts;
};
export const maxOverMean = (counts: readonly number[]) =>
  Math.max(...counts) / (counts.reduce((a, b) => a + b, 0) / counts.length);

/** The nodes of `count` clients that arrive at once. */
export function burst(p: Placer, count: number, nowMs: number, prefix = 'u'): string[] {
  return Array.from({ length: count }, (_, i) => {
    const placed = p.place({ uid: `${prefix}${i}`, sid: `s${i}` }, nowMs);
    if (placed.kind !== 'placed') throw new Error(`not placed: ${placed.reason}`);
    return placed.node;
  });
}

/** A cordoned node reports each second from `fromMs` to `toMs`: somebody is heard, so that the silence of others counts. */
export function hearing(p: Placer, fromMs: number, toMs: number): void {
  for (let nowMs = Math.ceil(fromMs / 1_000) * 1_000; nowMs <= toMs; nowMs += 1_000)
    p.observe(stats('other', { state: 'cordoned', seq: nowMs / 1_000 + 1, at: nowMs }), nowMs);
}
