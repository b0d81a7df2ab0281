import { errorCodes, gapReasons } from '@evenkeel/protocol';
import { z } from 'zod';

const seq = z
  .number()
  .int()
  .positive()
  .meta({ description: 'Counts from 1 on each connection; what `ack` names' });
const id = z.string().meta({ description: 'Identity: a repeat has the same' });
const re = z.string().meta({ description: "The request's `id`" });
const topic = z.string();
const redelivered = z.literal(true).optional();
const count = z.number().int().nonnegative();

const body = {
  data: z.unknown().meta({ description: 'JSON as it is, text as a string, all else base64 with `encoding`' }),
  encoding: z.literal('base64').optional(),
  contentType: z.string().optional(),
  contentEncoding: z.string().optional(),
  traceparent: z.string().optional(),
  tracestate: z.string().optional(),
};
const told = {
  at: z.number().meta({ description: 'When it was published, ms since the epoch' }),
  headers: headers(),
};
const answered = { re, seq: seq.optional(), redelivered, again: count.optional(), parts: count.optional() };

function headers() {
  return z.record(z.string(), z.string()).optional();
}

/** What edges send. Clients ignore fields and kinds that they do not know, so nothing here is closed. */
export const edgeFrames: Readonly<Record<string, z.ZodObject>> = {
  welcome: z.object({
    t: z.literal('welcome'),
    session: z.string(),
    node: z.string(),
    resumed: z.boolean(),
    heartbeatMs: z.number(),
    window: count,
    connection: z.string().optional(),
    limits: z
      .object({ framesPerSecond: z.number(), burst: z.number(), maxTopics: count, maxFrameBytes: count })
      .optional(),
    generation: count.optional(),
  }),
  event: z.object({
    t: z.literal('event'),
    seq,
    id,
    name: z.string(),
    ...body,
    ...told,
    redelivered,
    again: count.optional(),
  }),
  message: z.object({
    t: z.literal('message'),
    topic,
    id,
    ...body,
    ...told,
    position: z.string().optional(),
    past: z.literal(true).optional(),
    from: z.object({ user: z.string(), session: z.string() }).optional(),
    key: z.string().optional(),
  }),
  gap: z.object({ t: z.literal('gap'), topic: topic.optional(), reason: z.enum(Object.values(gapReasons)) }),
  move: z.object({
    t: z.literal('move'),
    move: z.string(),
    node: z.string(),
    url: z.string(),
    ticket: z.string(),
    reason: z.string(),
    deadlineMs: z.number(),
    jitterMs: z.number(),
  }),
  moved: z.object({ t: z.literal('moved'), seq: count, received: count, mark: z.string().optional() }),
  mark: z.object({ t: z.literal('mark'), mark: z.string() }),
  part: z.object({
    t: z.literal('part'),
    seq,
    re,
    n: count,
    ...body,
    headers: headers(),
    redelivered,
    again: count.optional(),
  }),
  ask: z.object({
    t: z.literal('ask'),
    seq,
    id,
    method: z.string(),
    ...body,
    headers: headers(),
    redelivered,
    again: count.optional(),
  }),
  ok: z.object({ t: z.literal('ok'), ...answered, ...body, data: body.data.optional() }),
  error: z.object({
    t: z.literal('error'),
    ...answered,
    re: re.optional(),
    code: z
      .string()
      .meta({ description: "One of the mesh's, or a service's own", examples: Object.values(errorCodes) }),
    message: z.string(),
    from: z.literal('service').optional(),
    topic: topic.optional(),
    retryAfterMs: z.number().optional(),
  }),
  pong: z.object({ t: z.literal('pong') }),
  expiring: z.object({ t: z.literal('expiring'), inMs: z.number() }),
  subscribed: z.object({
    t: z.literal('subscribed'),
    topic,
    by: z.enum(['hello', 'service']),
    position: z.string().optional(),
    recovered: z.boolean().optional(),
    proof: z.string().optional(),
  }),
  presence: z.object({
    t: z.literal('presence'),
    topic,
    joined: z.array(z.object({ user: z.string(), info: z.unknown().optional() })).optional(),
    left: z.array(z.string()).optional(),
    count,
  }),
  unsubscribed: z.object({
    t: z.literal('unsubscribed'),
    topic,
    reason: z.enum(['revoked', 'expired', 'service']),
  }),
};
