import {
  fromUid,
  maxListedMembers,
  type PresentUser,
  type TopicPresence,
  type UserPresence,
} from '@evenkeel/protocol';
import type { PresentTogether, Roster } from './roster.js';

/** A user of a topic as it is told. */
export function presentUser({ uid, sessions, since, info }: PresentTogether): PresentUser {
  return {
    user: fromUid(uid),
    sessions,
    since,
    ...(info === undefined ? {} : { info: JSON.parse(info) as unknown }),
  };
}

/** Who is in a topic: all, or of many the number alone. */
export function topicPresence(roster: Pick<Roster, 'count' | 'of'>, topic: string): TopicPresence {
  const count = roster.count(topic);
  if (count > maxListedMembers) return { topic, count };
  return { topic, count, users: [...roster.of(topic)].map(presentUser) };
}

/**
 * What edges have said of a user's sessions, together: in a move two have one session for a moment. `complete`: all have said it.
 */
export function userPresence(
  user: string,
  said: readonly UserPresence['sessions'][number][],
  complete: boolean,
): UserPresence {
  const bySession = new Map<string, UserPresence['sessions'][number]>();
  for (const one of said) {
    const other = bySession.get(one.session);
    // Where it is now is where it came last; since when, where it came first.
    if (other === undefined) bySession.set(one.session, one);
    else
      bySession.set(one.session, {
        session: one.session,
        node: one.since >= other.since ? one.node : other.node,
        since: Math.min(one.since, other.since),
      });
  }
  const sessions = [...bySession.values()].sort((a, b) => a.since - b.since);
  const [oldest] = sessions;
  return {
    user,
    online: sessions.length > 0,
    sessions,
    ...(oldest && { since: oldest.since }),
    complete,
  };
}
