import { asking, isSid } from '@evenkeel/protocol';
import { z } from 'zod';
import { data, methodName, topicName, userId } from './schemas.js';

export const userParams = z.strictObject({ id: userId });

const session = z.strictObject({
  session: z.string(),
  node: z.string().meta({ description: 'The edge that has it.' }),
  since: z.int().meta({ description: 'ms since the epoch.' }),
});
const complete = z.boolean().meta({
  description: 'False: an edge that is there did not answer in time, so there may be more.',
});

export const userOnline = z.strictObject({
  user: userId,
  online: z.boolean(),
  sessions: z.array(session),
  nodes: z.array(z.string()).meta({ description: 'Edges that have one of them.' }),
  since: z
    .int()
    .optional()
    .meta({ description: 'When the oldest session came, ms since the epoch; absent: offline.' }),
  complete,
});
export type UserOnline = z.input<typeof userOnline>;

/** One of the user's sessions; all unless given. */
const sessionId = z
  .string()
  .refine(isSid, 'is no id of a session')
  .meta({ description: "The id of one of the user's sessions; all of them unless given." });

/** Body of `POST /v1/users/{id}/disconnect`. */
export const disconnection = z.strictObject({ session: sessionId.optional() });

export const disconnected = z.strictObject({
  user: userId,
  sessions: z.array(z.string()).meta({ description: 'Ids of those that were ended.' }),
  complete,
});
export type Disconnected = z.input<typeof disconnected>;

/** Body of `POST /v1/users/{id}/subscribe` and `/unsubscribe`. */
export const placing = z.strictObject({ topic: topicName, session: sessionId.optional() });

export const placed = z.strictObject({
  user: userId,
  topic: z.string(),
  sessions: z.int().meta({
    description:
      'So many sessions have the order in their queues: those that are connected do it within moments, others once they are back.',
  }),
});
export type Placed = z.input<typeof placed>;

/** Body of `POST /v1/users/{id}/request`. */
export const question = z.strictObject({
  method: methodName,
  data,
  want: z
    .enum(['first', 'all'])
    .default('first')
    .meta({ description: 'One answer is enough, or that of every session is wanted.' }),
  timeoutMs: z
    .int()
    .min(1)
    .max(asking.maxTimeoutMs)
    .optional()
    .meta({ description: `How long answers are waited for; ${asking.timeoutMs} unless given.` }),
});

const clientAnswer = z.strictObject({
  session: z.string(),
  data: z.unknown().optional().meta({ description: 'What the client has answered.' }),
  error: z
    .strictObject({ code: z.string(), message: z.string() })
    .optional()
    .meta({ description: 'In its place: the client could not, or would not.' }),
});

export const answered = z.strictObject({
  user: userId,
  answers: z.array(clientAnswer),
  silent: z.array(z.string()).meta({ description: 'Of all: sessions that have not answered in time.' }),
});
