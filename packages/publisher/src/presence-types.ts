/**
 * How it is asked who is there.
 * @example
 * const options: OnlineOptions = { timeoutMs: 2_000 };
 * const { online } = await publisher.online('alice', options);
 */
export interface OnlineOptions {
  /** How long the answer is waited for, ms, 1 to 60,000; a first connection to get it on is part of it. Default 5,000. */
  timeoutMs?: number;
}

/**
 * Whether a user is online.
 * @example
 * const { online, sessions, since }: UserPresence = await publisher.online('alice');
 * console.log(online ? `on ${sessions.length} sessions since ${new Date(since ?? 0)}` : 'away');
 */
export interface UserPresence {
  readonly user: string;
  /** A session of the user has a connection, or had one less than 2 s ago. */
  readonly online: boolean;
  /** Since when, ms since the epoch: the first of the sessions. Survives moves; begins anew after the crash of an edge. */
  readonly since?: number;
  readonly sessions: readonly { readonly session: string; readonly node: string; readonly since: number }[];
  /** False: an edge that is there has not answered within a second, so there may be more sessions. */
  readonly complete: boolean;
}

/**
 * Who is in a topic.
 * @example
 * const { count, users = [] }: TopicPresence = await publisher.presence('room.42');
 * console.log(count, users.map(({ user }) => user));
 */
export interface TopicPresence {
  readonly topic: string;
  /** How many users. */
  readonly count: number;
  /** Left out where there are more than 1,000. */
  readonly users?: readonly {
    readonly user: string;
    readonly sessions: number;
    readonly since: number;
    readonly info?: unknown;
  }[];
}
