import { maxListedMembers } from '@evenkeel/protocol';
import { z } from 'zod';
import { lastMessages, maxPageMessages } from './limits.js';
import { topicName, userId } from './schemas.js';

export const topicParams = z.strictObject({ topic: topicName });

/** A number in a query. */
const number = (most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'give a whole number')
    .transform(Number)
    .pipe(z.number().max(most, `give at most ${most}`));

/** Of `GET /v1/topics/{topic}/history`. */
export const pastQuery = z
  .strictObject({
    last: number(lastMessages.most)
      .optional()
      .meta({
        description: `The newest messages, at most so many, oldest of them first; ${lastMessages.byDefault} unless given.`,
        override: { type: 'integer', minimum: 0, maximum: lastMessages.most },
      }),
    since: z.string().min(1).max(100).optional().meta({
      description: 'A position, of a message or an answer: what came behind it, all of it or `history-lost`.',
    }),
  })
  .refine(({ last, since }) => last === undefined || since === undefined, 'give last or since, not both');

const position = z.string().meta({
  description: 'Where it is in the history: opaque, and the same for clients and for every process.',
});
const at = z.int().meta({ description: 'ms since the epoch.' });

/** A message of the past, as its frame has it. */
const pastMessage = z.looseObject({
  position,
  id: z.string().optional(),
  at: at.optional().meta({ description: 'When it was published, ms since the epoch.' }),
  data: z.unknown().optional().meta({ description: 'What was published: JSON, or text.' }),
  base64: z.string().optional().meta({ description: 'In place of `data`: bytes that are neither.' }),
  contentType: z.string().optional().meta({ description: 'Of `base64`.' }),
  key: z.string().optional().meta({ description: 'Of a live table: the row.' }),
  from: z
    .strictObject({ user: z.string(), session: z.string() })
    .optional()
    .meta({ description: 'The client that has published it; absent: an application has.' }),
  headers: z.record(z.string(), z.string()).optional(),
  tooLarge: z
    .literal(true)
    .optional()
    .meta({ description: 'It is longer than answers may be; nothing else of it is here.' }),
});

export const past = z.strictObject({
  topic: z.string(),
  messages: z.array(pastMessage).meta({ description: 'Oldest first.' }),
  position: position
    .optional()
    .meta({ description: 'Up to where this answer goes: `since` of the next question.' }),
  more: z.boolean().meta({
    description: `With \`since\`: there is more than the ${maxPageMessages} messages of one answer; ask again from \`position\`.`,
  }),
});

const present = z.strictObject({
  user: userId,
  sessions: z.int().meta({ description: "How many of the user's sessions have the topic." }),
  since: at,
  info: z.unknown().optional().meta({ description: 'What is told of it.' }),
});

export const topicMembers = z.strictObject({
  topic: z.string(),
  count: z.int().meta({ description: 'Users in the topic.' }),
  users: z
    .array(present)
    .optional()
    .meta({ description: `Absent where there are more than ${maxListedMembers}.` }),
});
export type TopicMembers = z.input<typeof topicMembers>;
