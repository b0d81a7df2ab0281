import type { GapReason } from '@evenkeel/protocol';

/** What is known of the head of a queue that is about to be consumed. */
export type Vouch =
  /**
   * It begins with its seal, or something was dropped. `name`: of that seal, as who held it last says; `behind`: deliveries
   * before it. `isNew`: whose client has nothing that an empty queue could have lost. `reason`: what to tell if it does not.
   */
  | {
      readonly is: 'sealed';
      readonly name?: string | undefined;
      readonly behind?: number;
      readonly isNew?: boolean;
      readonly reason?: GapReason | undefined;
    }
  /**
   * Nothing was dropped so far, and the seal of this name comes later, from the edge `at`; put back, it is behind so many deliveries.
   * `wasAway`: its connection was lost before; it has not moved here.
   */
  | {
      readonly is: 'coming';
      readonly name: string;
      readonly at: string;
      readonly behind?: number;
      readonly wasAway?: boolean;
    }
  /** It was made a moment ago, or an older edge had it: as far as anybody knows nothing was dropped. */
  | { readonly is: 'fresh' }
  /** Something was dropped, and the client is told as soon as it is attached. */
  | { readonly is: 'told'; readonly reason: GapReason }
  /** The same, of a session that is attached: it is told with what comes first. */
  | { readonly is: 'owed'; readonly reason: GapReason }
  /** An older edge has made it: a seal would expire in it. */
  | { readonly is: 'unwatched' };

/** What the next edge has to know of the seal. */
export interface SealLeft {
  /**
   * It is at the head, or behind so many deliveries. Without a name: whichever it is, it has not come here. `at`: it is not in the
   * queue, and comes from that edge. `reason`: what to tell if it does not come, where the broker was lost before. `isWatched`: it
   * was left with nobody, and as far as who tells this has heard nothing was dropped since.
   */
  readonly seal?:
    | {
        readonly name?: string | undefined;
        readonly behind: number;
        readonly at?: string | undefined;
        readonly reason?: GapReason | undefined;
        readonly isWatched?: boolean | undefined;
      }
    | undefined;
  /** The client is to be told this at once: there is no seal. With one that does not come: it is also to be told behind so many deliveries. */
  readonly owed?: GapReason | undefined;
}

/** What the next edge can do about the seal. */
export interface SealTaker {
  /** It knows what one is: an edge of before would take it for an event. */
  readonly knowsSeals: boolean;
  /** One that is still to be planted, or to come from elsewhere, may come to it later. */
  readonly waitsForSeal: boolean;
  /** So may one that is in hand. */
  readonly mayLeaveSeal: boolean;
}

/** Nobody does: it is over. */
export const noTaker: SealTaker = { knowsSeals: false, waitsForSeal: false, mayLeaveSeal: false };

/** What the next edge may go by. `isNew`: as its client says; undefined: it moves. */
export function vouchFor(seal: SealLeft['seal'], isNew?: boolean): Vouch {
  if (seal?.name !== undefined && seal.at !== undefined)
    return {
      is: 'coming',
      name: seal.name,
      at: seal.at,
      behind: seal.behind,
      ...(isNew !== undefined && { wasAway: true }),
    };
  return { is: 'sealed', ...seal, ...(isNew !== undefined && { isNew }) };
}

/** The same, with what it is to be told. */
export const vouchOf = ({ seal, owed }: SealLeft): Vouch =>
  seal === undefined && owed !== undefined ? { is: 'told', reason: owed } : vouchFor(seal);
