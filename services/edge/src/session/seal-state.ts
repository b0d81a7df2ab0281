import type { Delivery } from '@evenkeel/broker';
import { type GapReason, sealHeader } from '@evenkeel/protocol';
import type { Ahead } from './ahead.js';

/** The name of the seal that a delivery is; undefined: it is none. */
export function sealOf({ properties }: Pick<Delivery, 'properties'>): string | undefined {
  const name = properties.headers[sealHeader];
  return typeof name === 'string' && !properties.correlationId ? name : undefined;
}

/** What is known of a queue's seal. */
export type SealState =
  | {
      readonly is: 'expected';
      readonly name: string | undefined;
      readonly isNew: boolean;
      /** The queue was not there, so there can be none. */
      readonly isGone?: boolean;
      /** It does not come: in its place something is missing that nobody is told of. */
      readonly isOwed?: boolean;
      readonly reason: GapReason;
      behind: number;
      /** So many deliveries had gone on to the client when it was told of a gap before. */
      toldAt?: number;
    }
  | { readonly is: 'held'; readonly name: string; readonly delivery: Delivery; readonly ahead: Ahead }
  /**
   * Published, and not come yet. `reason`: of the doubt until then; `from`: the edge that puts it back, behind these deliveries, or plants it,
   * since when.
   */
  | {
      readonly is: 'planted';
      readonly name: string;
      readonly reason: GapReason;
      readonly from?: { readonly at: string; readonly ahead: Ahead; readonly sinceMs: number };
      /** It is not to wait for its turn any longer. */
      isHurried?: boolean;
    }
  /** `told`: when the client was told of the gap that it leaves; a new one comes once the client has heard of it. */
  | {
      readonly is: 'missing';
      readonly reason: GapReason;
      readonly told: { readonly seq: number; readonly passed: number; readonly atMs: number };
    }
  | { readonly is: 'unwatched' };

/** Nothing that a client sends shows that it has heard. */
export const untold = { seq: Number.POSITIVE_INFINITY, passed: -1, atMs: Number.POSITIVE_INFINITY };

/** What stands before it, as far as it has a place. */
export const aheadOf = (state: SealState): Ahead | undefined =>
  state.is === 'held' ? state.ahead : state.is === 'planted' ? state.from?.ahead : undefined;
