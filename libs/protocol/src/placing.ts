/** Services put users' sessions into topics: what they order on `mesh.topics`, and what comes of it to sessions' queues. */
import { z } from 'zod';
import { isSid, isTopicPattern } from './names.js';

/** Key on `mesh.topics`: `join.<topic…>` or `leave.<topic…>`. */
export const orderKey = (command: 'join' | 'leave', topic: string): string => `${command}.${topic}`;

/** Key of an order to the sessions of a user, on `mesh.events`. No event of an application has such a name. */
export const placeKey = (uid: string): string => `user.${uid}.$topics`;

/** An order as it is in the queue of a session. */
export const placeCommand = z.object({
  command: z.enum(['join', 'leave']),
  topic: z.string().refine(isTopicPattern),
  /** Only this session of the user. */
  session: z.string().refine(isSid).optional(),
});
export type PlaceCommand = z.infer<typeof placeCommand>;

/** What whoever has given an order is told: in the queues of how many sessions it is; or why it is in none. */
export const placeAnswer = z.union([
  z.object({ ok: z.literal(true), sessions: z.int() }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string() }),
]);
export type PlaceAnswer = z.infer<typeof placeAnswer>;
