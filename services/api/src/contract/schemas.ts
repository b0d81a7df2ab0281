import {
  isTopic,
  maxKeyBytes,
  maxTopicBytes,
  maxUserIdBytes,
  NameError,
  toUid,
  userKey,
} from '@evenkeel/protocol';
import { z } from 'zod';

const words = '^[\\w~-]+(\\.[\\w~-]+)*$';
const wordsForm = 'give words of A-Z a-z 0-9 _ ~ - joined by dots, at most 200 bytes';

/** Words joined by dots, as topics and events are named. */
const name = (description: string) =>
  z
    .string()
    .max(maxTopicBytes, wordsForm)
    .refine(isTopic, wordsForm)
    .meta({ description, pattern: words, minLength: 1 });

/** A user's id as keys have it, or why it cannot be carried. */
function carried(id: string): string | NameError {
  try {
    return toUid(id);
  } catch (error) {
    if (error instanceof NameError) return error;
    throw error;
  }
}

/** Whether AMQP has room for the key of an event of this name to the user. */
function fits(user: string, event: string): boolean {
  const uid = carried(user);
  return uid instanceof NameError || Buffer.byteLength(userKey(uid, event)) <= maxKeyBytes;
}

/** The id of a user, as the application knows it. */
export const userId = z
  .string()
  .min(1, { abort: true })
  .max(maxUserIdBytes, { abort: true })
  .superRefine((id, context) => {
    const uid = carried(id);
    if (uid instanceof NameError) context.addIssue({ code: 'custom', message: uid.message });
  })
  .meta({ description: `A user's id, at most ${maxUserIdBytes} bytes in UTF-8.`, examples: ['alice'] });

export const topicName = name('A topic.').meta({ examples: ['room.42'] });
export const methodName = name('What the client is asked for.').meta({ examples: ['order.confirm'] });

/** Most users of one event. */
const maxUsers = 1_000;

export const data = z
  .custom<unknown>((value) => value !== undefined, 'is missing; give null for nothing')
  .meta({ description: 'What clients get as `data`: any JSON.' });

const targets = ['user', 'users', 'topic'] as const;

/** Body of `POST /v1/publish`. */
export const publication = z
  .strictObject({
    user: userId.optional(),
    users: z
      .array(userId)
      .min(1)
      .max(maxUsers)
      .optional()
      .meta({ description: `Ids of users, at most ${maxUsers}; each gets the event.` }),
    topic: topicName.optional(),
    event: name('The name of the event, for `user` and `users`; `message` unless given. A topic has none.')
      .optional()
      .meta({ examples: ['order.created'] }),
    data,
    id: z
      .string()
      .min(1)
      .refine((text) => Buffer.byteLength(text) <= maxKeyBytes, `has more than ${maxKeyBytes} bytes`)
      .optional()
      .meta({
        description: `Identity, at most ${maxKeyBytes} bytes: a repeat with the same id reaches no application twice. A new one unless given.`,
      }),
  })
  .superRefine((body, context) => {
    const given = targets.filter((target) => body[target] !== undefined);
    if (given.length !== 1) {
      const message = `give one of user, users and topic${given.length === 0 ? '' : `, not ${given.join(' and ')}`}`;
      context.addIssue({ code: 'custom', message });
    }
    if (body.topic !== undefined && body.event !== undefined) {
      context.addIssue({ code: 'custom', path: ['event'], message: 'a topic has no event; leave it out' });
    }
    const { event, user, users = user === undefined ? [] : [user] } = body;
    const long = event === undefined ? undefined : users.find((each) => !fits(each, event));
    if (long !== undefined) {
      const message = `is too long for the id of ${long}: its routing key has more than ${maxKeyBytes} bytes`;
      context.addIssue({ code: 'custom', path: ['event'], message });
    }
  })
  .meta({ oneOf: targets.map((target) => ({ required: [target] })) });
export type Publication = z.output<typeof publication>;

/** What became of an event. */
export const published = z
  .strictObject({
    id: z.string().meta({ description: 'Its identity.' }),
    routed: z.boolean().meta({
      description:
        'Whether somebody gets it: the user has a session, every one of `users` has, the topic has a subscriber.',
    }),
    unrouted: z.array(z.string()).optional().meta({ description: 'Of `users` those who have no session.' }),
  })
  .meta({ examples: [{ id: '0199c0de-7d3e-7c6f-9d0a-3f2b8c1e4a55', routed: true }] });
export type Published = z.output<typeof published>;

/** Most messages of a batch. */
const maxBatch = 100;

/** Body of `POST /v1/publish/batch`. */
export const batch = z.strictObject({
  messages: z
    .array(publication)
    .min(1)
    .max(maxBatch)
    .meta({
      description: `What to publish, in order, at most ${maxBatch}; each as POST /v1/publish takes it.`,
    }),
});
export type Batch = z.output<typeof batch>;

/** What became of each message. */
export const batchAnswer = z.strictObject({
  results: z
    .array(
      z.union([
        published,
        z.strictObject({
          id: z.string(),
          error: z
            .strictObject({ code: z.string(), detail: z.string() })
            .meta({ description: 'Why this one failed: as a problem has it.' }),
        }),
      ]),
    )
    .meta({ description: 'In the order of the messages.' }),
});
export type BatchAnswer = z.output<typeof batchAnswer>;

/** The body of every answer that is not 2xx. */
export const problem = z
  .strictObject({
    type: z
      .string()
      .meta({ description: 'Names the kind of problem: `urn:evenkeel:problem:` and the code.' }),
    title: z.string().meta({ description: 'The kind of problem in words.' }),
    status: z.int().meta({ description: 'That of the answer.' }),
    detail: z.string().meta({ description: 'What is wrong with this request, and what to do.' }),
    code: z.string().meta({ description: 'Stable, for programs.' }),
  })
  .meta({ description: 'RFC 9457.' });
