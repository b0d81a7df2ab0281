/** What the stream `mesh.denials` carries: who is kept out, and who is let in again. */
import { z } from 'zod';
import { isUid } from './names.js';
import { sessionRef } from './session-ref.js';

/** Denials in force at most; one more is refused. */
export const maxDenials = 100_000;
/** Longest denial, and one that does not say how long, ms. The stream keeps its records for as long. */
export const longestDenialMs = 30 * 86_400_000;

const uid = z.string().refine(isUid, 'a user id in its carried form');
const instant = z.number().int().nonnegative();
const common = {
  /** Identity of the record. */
  id: z.string().min(1).max(128),
  /** When it was written, ms since the epoch by the balancer's clock. */
  atMs: instant,
};
/** Exactly one of the two. */
const subject = { user: uid.optional(), session: sessionRef.optional() };
const isOne = ({ user, session }: { user?: string | undefined; session?: string | undefined }): boolean =>
  (user === undefined) !== (session === undefined);

/**
 * One record. The newest of a user or session counts, in the order of the stream: `deny` keeps it out until `untilMs`, `allow`
 * ends that, and `forget` ends all that is about the user and the user's sessions.
 */
export const denialRecord = z.union([
  z
    .object({
      kind: z.literal('deny'),
      ...common,
      ...subject,
      /** Until when, ms since the epoch. */
      untilMs: instant,
      reason: z.string().max(256).optional(),
    })
    .refine(isOne, 'a user or a session'),
  z.object({ kind: z.literal('allow'), ...common, ...subject }).refine(isOne, 'a user or a session'),
  z.object({ kind: z.literal('forget'), ...common, user: uid }),
]);
export type DenialRecord = z.infer<typeof denialRecord>;
