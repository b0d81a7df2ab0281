import type { Delivery } from '@evenkeel/broker';
import { exchanges, sessionHeader, uidHeader, userHeader } from '@evenkeel/protocol';
import { isSentTo } from '../sender.js';

/** Who has sent a message, as an edge has checked it. */
export interface ClientSender {
  readonly user: string;
  readonly session: string;
  /** `<uid>.<sid>` */
  readonly key: string;
}

/** Whether a message that the broker says is of this user comes from an edge. */
export type IsEdge = (user: string) => boolean;

/** For an edge that logs in as `own`: edges have users of their kind, or all of the mesh logs in as one. */
export const edgesBeside =
  (own: string | undefined): IsEdge =>
  (user) =>
    user === own || user === 'edge' || user.startsWith('edge-');

/**
 * The client that has published this message of a topic; undefined: an application has. Only an edge's word counts, and only on
 * what it has published there itself: whoever has queues can send on what edges have sent to others.
 */
export function senderOf(
  delivery: Pick<Delivery, 'exchange' | 'properties'>,
  isEdge: IsEdge,
): ClientSender | undefined {
  const { userId, headers } = delivery.properties;
  if (userId === undefined || !isEdge(userId) || !isSentTo(delivery, exchanges.events)) return undefined;
  const { [userHeader]: user, [uidHeader]: uid, [sessionHeader]: session } = headers;
  if (typeof user !== 'string' || typeof uid !== 'string' || typeof session !== 'string') return undefined;
  return { user, session, key: `${uid}.${session}` };
}
