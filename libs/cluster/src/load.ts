/** What a node carries, and what it should. */
import type { loads, NodeStats } from '@evenkeel/protocol';

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

/** What a node carries by one measure: its sessions, or the average of its traffic. */
export const loadOf = (node: { stats: NodeStats; traffic: Traffic }, load: Load): number =>
  load === 'connections' ? node.stats.sessions : node.traffic[load];
