import { happenings } from '@evenkeel/protocol';
import { z } from 'zod';

/** A kind of message on the broker: who sends it where, and what is in it. */
export interface AmqpMessage {
  readonly exchange: string;
  /** Routing key, as the documents write it. */
  readonly key: string;
  readonly summary: string;
  readonly headers: z.ZodObject;
  readonly payload: z.ZodType;
}

const any = z.unknown().meta({ description: 'JSON, text or bytes, as `content_type` says' });
const trace = { traceparent: z.string().optional(), tracestate: z.string().optional() };
const at = {
  'evenkeel-at': z.number().optional().meta({ description: 'When it was published, ms since the epoch' }),
};
const sender = {
  'evenkeel-user': z.string(),
  'evenkeel-uid': z.string(),
  'evenkeel-session': z.string(),
  'evenkeel-node': z.string(),
};

export const amqpMessages: Readonly<Record<string, AmqpMessage>> = {
  userEvent: {
    exchange: 'mesh.events',
    key: 'user.<uid>.<event…>',
    summary: 'An event for all sessions of a user',
    headers: z.object({
      ...at,
      ...trace,
      'evenkeel-collapse': z
        .string()
        .optional()
        .meta({ description: 'Only the newest of this key is sent, of those that an edge keeps back' }),
      'evenkeel-only-online': z
        .boolean()
        .optional()
        .meta({ description: 'Not for sessions that have no connection when it is published' }),
      'evenkeel-receipt': z.string().optional().meta({
        description: 'A word: who has acknowledged the event is told on mesh.cancel, key $taken.<word>',
      }),
    }),
    payload: any,
  },
  topicOrder: {
    exchange: 'mesh.topics',
    key: 'join.<topic…>, leave.<topic…>',
    summary: 'A service puts the sessions of a user, or one of them, into a topic, or takes them out',
    headers: z.object({}),
    payload: z.object({ user: z.string(), session: z.string().optional() }),
  },
  topicMessage: {
    exchange: 'mesh.events',
    key: 'topic.<topic…>',
    summary: 'A message for whoever has subscribed the topic',
    headers: z.object({ ...at, ...trace }),
    payload: any,
  },
  publish: {
    exchange: 'mesh.inbound',
    key: '<topic…>',
    summary: 'What a client has published; type is publish',
    headers: z.object({ ...sender, ...trace }),
    payload: any,
  },
  request: {
    exchange: 'mesh.inbound',
    key: '<method…>',
    summary: 'What a client asks; type is request, reply_to and correlation_id are set',
    headers: z.object({ ...sender, ...trace, 'evenkeel-reply-exchange': z.literal('mesh.replies') }),
    payload: any,
  },
  clientQuestion: {
    exchange: 'mesh.ask',
    key: '<uid>.<method…>',
    summary:
      "A service asks a user's clients; reply_to and correlation_id are set, expiration says how long it waits",
    headers: z.object({
      'evenkeel-want': z
        .enum(['first', 'all'])
        .optional()
        .meta({ description: 'One answer is enough, or that of every session is wanted' }),
      'evenkeel-at': z.number().optional().meta({
        description:
          'When it was asked, ms since the epoch: what of its time in the queue is over 10 s counts',
      }),
    }),
    payload: any,
  },
  question: {
    exchange: 'mesh.inbound',
    key: '$authorize.<action>.<topic…>',
    summary: 'An edge asks whether a user may',
    headers: z.object({}),
    payload: z.object({
      user: z.string(),
      session: z.string(),
      action: z.enum(['subscribe', 'publish', 'request']),
      topic: z.string(),
    }),
  },
  reply: {
    exchange: 'mesh.replies',
    key: '<reply_to>',
    summary: "A service's reply, or a part of it, with the request's correlation_id",
    headers: z.object({
      ...trace,
      'evenkeel-error': z.string().optional().meta({ description: 'It is an error with this code' }),
      'evenkeel-part': z
        .number()
        .int()
        .nonnegative()
        .optional()
        .meta({ description: 'It is this part of the answer' }),
    }),
    payload: any,
  },
  receipt: {
    exchange: 'mesh.cancel',
    key: '$taken.<word>',
    summary: 'A client has acknowledged an event whose publisher wants to know; type is receipt',
    headers: z.object({}),
    payload: z.object({ id: z.string(), user: z.string(), session: z.string(), at: z.number() }),
  },
  undelivered: {
    exchange: 'mesh.undelivered',
    key: 'user.<uid>.<event…>',
    summary: 'An event that was dropped for a session',
    headers: z.object({
      'evenkeel-why': z.enum(['overflow', 'expired', 'ended', 'too-large']),
      'evenkeel-session': z.string(),
      'evenkeel-user': z.string(),
      'evenkeel-uid': z.string(),
    }),
    payload: any,
  },
  happening: {
    exchange: 'mesh.sessions',
    key: `<uid>.${happenings.join('|')}`,
    summary: 'What has become of a session',
    headers: z.object({}),
    payload: z.object({
      user: z.string(),
      session: z.string(),
      node: z.string(),
      at: z.number(),
      reason: z.enum(['bye', 'expired', 'disconnected']).optional(),
      info: z.unknown().optional(),
    }),
  },
};
