/** What a node carries, and what it should. */
import type { loads, NodeStats } from '@evenkeel/protocol';
import { reportEveryMs } from './liveness.js';

/** A measure of load, as `EVENKEEL_LOAD` names it. */
export type Load = (typeof loads)[number];

/**
 * Most that a node of this weight may hold while `total` grows by one: `bound` × its fair share, rounded up.
 * Source: Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads" (2018).
 * @param bound at least 1; e.g. 1.05 for 5 % over the fair share.
 */
export const boundedShare = (
  weight: number,
  total: { readonly load: number; readonly weight: number },
  bound: number,
): number => Math.ceil((bound * (total.load + 1) * weight) / total.weight);

/** Averages of what varies by chance. */
export interface Traffic {
  /** How long they go back, ms. */
  readonly overMs: number;
  /** Events and messages delivered a second. */
  readonly events: number;
  /** Bytes delivered a second. */
  readonly bytes: number;
  /** Cores. */
  readonly cpu: number;
}

/** Averages go back no further than about this, ms, where nothing else is asked for. */
const maxAverageMs = 60_000;

/** Averages that begin with one report. */
export const trafficOf = (stats: NodeStats): Traffic => ({
  overMs: reportEveryMs,
  events: stats.deliveredPerSecond,
  bytes: stats.bytesPerSecond,
  cpu: stats.cpu,
});

/** The averages with one more report, `elapsedMs` after the last. @param mostMs how far they go back at most. */
export function blendTraffic(
  before: Traffic,
  stats: NodeStats,
  elapsedMs: number,
  mostMs: number = maxAverageMs,
): Traffic {
  const overMs = Math.min(mostMs, before.overMs + elapsedMs);
  const share = Math.min(1, elapsedMs / overMs);
  return {
    overMs,
    events: before.events + (stats.deliveredPerSecond - before.events) * share,
    bytes: before.bytes + (stats.bytesPerSecond - before.bytes) * share,
    cpu: before.cpu + (stats.cpu - before.cpu) * share,
  };
}

/** What a node carries by one measure: its sessions, or the average of its traffic. */
export const loadOf = (node: { stats: NodeStats; traffic: Traffic }, load: Load): number =>
  load === 'connections' ? node.stats.sessions : node.traffic[load];
