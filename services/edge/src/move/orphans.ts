import type { TicketClaims } from '@evenkeel/ticket';
import type { Life } from '../life/life.js';
import type { LeftBehind, LetGo } from '../session/left-behind.js';

export interface OrphanKeepers {
  readonly directory: { get(key: string): unknown };
  readonly life: Pick<Life, 'lost'>;
  readonly leftBehind: Pick<LeftBehind, 'note'>;
}

/**
 * Another edge has let a session go to here, and the client that came for it has gone meanwhile: it waits here for its next connection, or
 * its end. `isAway`: applications know that it has no connection.
 */
export function keepOrphan(
  claims: TicketClaims,
  left: LetGo,
  isAway: boolean,
  { directory, life, leftBehind }: OrphanKeepers,
): void {
  const key = `${claims.uid}.${claims.sid}`;
  life.lost(claims, isAway);
  // Its client may be back by now.
  if (directory.get(key) !== undefined) return;
  // What was dropped meanwhile nobody here has heard.
  leftBehind.note(key, left, false);
}
