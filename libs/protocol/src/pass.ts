/** What tickets, moves and edges keep of a pass, in which the gateway says what a user may do and until when. */
import { z } from 'zod';

/** Schema of {@link PassHold}. */
export const passHold = z.object({
  hash: z.string().regex(/^[A-Za-z0-9_-]{22}$/),
  exp: z.number().int().positive(),
  rev: z.number().int().nonnegative(),
  isOpen: z.literal(true).optional(),
});

/** A pass by what tells it from others. */
export interface PassHold {
  /** The first 16 bytes of the SHA-256 of its text, base64url. */
  hash: string;
  /**
   * It counts until then, ms since the epoch: in a ticket by the clock of the edge that the ticket is for (whoever issues one for a
   * move adds how far that is ahead), in the pass itself by the clock that gateways share.
   */
  exp: number;
  /** When it was issued, ms since the epoch by the gateways' clock: of two passes of a user the one with the higher counts. */
  rev: number;
  /** The user's token narrows nothing: who does not know passes, and presents none, loses nothing by that. */
  isOpen?: true | undefined;
}
