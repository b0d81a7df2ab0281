import type { PresenceFrame, PresentUser, TopicPresence } from '@evenkeel/protocol';

/** Who has joined and left a topic since the last such frame. Without `info` where it would be longer than frames may be. */
export function presenceFrame(
  topic: string,
  joined: readonly PresentUser[],
  left: readonly string[],
  count: number,
  maxBytes: number,
): string {
  const frame = (users: readonly PresentUser[]): string =>
    JSON.stringify({
      t: 'presence',
      topic,
      joined: users.map(({ user, info }) => (info === undefined ? { user } : { user, info })),
      left: [...left],
      count,
    } satisfies PresenceFrame);
  return fitting(frame(joined), maxBytes) ?? frame(joined.map(withoutInfo));
}

/** How many are there, of a topic with too many members to name them. */
export const countFrame = (topic: string, count: number): string =>
  JSON.stringify({ t: 'presence', topic, count } satisfies PresenceFrame);

/** The answer to `presence`. Without `info` where it would be longer than frames may be. */
export function presenceOkFrame(re: string, { count, users }: TopicPresence, maxBytes: number): string {
  const frame = (listed: readonly PresentUser[] | undefined): string =>
    JSON.stringify({ t: 'ok', re, data: { count, ...(listed === undefined ? {} : { users: listed }) } });
  return fitting(frame(users), maxBytes) ?? frame(users?.map(withoutInfo));
}

const withoutInfo = ({ info: _, ...user }: PresentUser): PresentUser => user;

const fitting = (frame: string, maxBytes: number): string | undefined =>
  frame.length * 3 <= maxBytes || Buffer.byteLength(frame) <= maxBytes ? frame : undefined;
