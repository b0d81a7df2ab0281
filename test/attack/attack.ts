import type { Extra, World } from './world.js';

export interface Seen {
  /** What was sent, in few words. */
  readonly sent: string;
  readonly answered: string;
  /** It was refused as documented. */
  readonly isRefused: boolean;
}

/** One attack on a running mesh. */
export interface Attack {
  readonly name: string;
  /** What came of it when it was first tried. */
  readonly once?: string;
  /**
   * What it is compared with. `sink`: the same attacker, on a process that swallows the same bytes. `quiet`: nothing, as it
   * needs the broker or a process of its own to send anything at all.
   */
  readonly control: 'sink' | 'quiet';
  readonly needs?: Extra;
  /** It is started anew for this row. */
  readonly isFresh?: true;
  /** Largest growth of a process meanwhile, MiB; default 100. */
  readonly maxGrowthMib?: number;
  readonly run: (world: World) => Promise<Seen>;
}
