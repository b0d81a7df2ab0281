/**
 * A user who is in a topic.
 * @example
 * const names = (users: readonly PresentUser[] = []) => users.map(({ user }) => user);
 * console.log(names((await client.presence('room.42')).users));
 */
export interface PresentUser {
  readonly user: string;
  /** What the session says of itself, or its token. */
  readonly info?: unknown;
  /** In an answer to `presence()` alone: on how many sessions, and since when, ms since the epoch. */
  readonly sessions?: number;
  readonly since?: number;
}
/**
 * Who is in a topic. Of more than 1,000 users there is `count` alone.
 * @example
 * const { count, users }: TopicPresence = await client.presence('room.42');
 */
export interface TopicPresence {
  readonly count: number;
  readonly users?: readonly PresentUser[];
}
/**
 * Who is there now, and what has changed since it was told last: at first everybody has joined.
 * @example
 * client.topic('room.42').on('presence', ({ joined, left }: PresenceNews) => console.log(joined, left));
 */
export interface PresenceNews extends TopicPresence {
  readonly topic: string;
  readonly joined: readonly PresentUser[];
  readonly left: readonly string[];
}

/** What a topic needs to tell who is there. */
export interface Presence {
  ask(topic: string): Promise<TopicPresence>;
  observe(topic: string, handler: (news: PresenceNews) => unknown): () => void;
}
