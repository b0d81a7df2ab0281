/** What a page writes down; see test/browser/pages/life.js. */
export interface Entry {
  /** One load of a page; a page that comes back from the page cache is the same. */
  readonly page: string;
  /** Which of the page's clients, from 0, and whose; of the page itself -1. */
  readonly client: number;
  readonly user?: string;
  /** Since the epoch, ms; the same clock for all pages. */
  readonly at: number;
  readonly what: 'event' | 'status' | 'page';
  readonly session?: string;
  /** Of an event (also one that the client said nobody handles): its number among those of the user. */
  readonly n?: number;
  readonly redelivered?: boolean;
  /** Of a status; of the page `pagehide`, `pageshow`, `freeze`, `offline`, and what was done to it: `crash`. */
  readonly type?: string;
  readonly reason?: string;
  readonly resumed?: boolean;
  readonly persisted?: boolean;
}

/** A number that was published to a user. */
export interface Published {
  readonly user: string;
  readonly n: number;
  /** When its publishing began. */
  readonly at: number;
}

export interface PagesLog {
  readonly published: readonly Published[];
  /** In any order; those of one page are in order where their times are equal. */
  readonly entries: readonly Entry[];
  /** The clients that live at the end: each has to have the last number. */
  readonly living: readonly { readonly page: string; readonly client: number; readonly user: string }[];
}
