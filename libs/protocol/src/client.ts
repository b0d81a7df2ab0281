/** What clients send over the WebSocket. What edges send is in frames.ts: nobody checks it at run time. */
import { z } from 'zod';
import { infoText, maxPassBytes, type WantedTopic } from './frames.js';

const requestId = z.union([z.string().min(1).max(128), z.number().int().nonnegative().transform(String)]);

const topic = z.string().max(512);

/** Longest position that a client may give back, characters. */
const maxPosition = 256;

const pastOptions = {
  since: z.string().min(1).max(maxPosition).optional(),
  last: z.number().int().nonnegative().optional(),
};

/** What a client may want of a topic beside its messages. */
const topicOptions = {
  ...pastOptions,
  presence: z.boolean().optional(),
  echo: z.boolean().optional(),
};

/** A name alone is a topic without options. What coming versions add to it is ignored, as every unknown field. */
const helloTopic = z.union([
  topic.transform((name): WantedTopic => ({ topic: name })),
  z.object({ topic, ...topicOptions, proof: z.string().max(1_024).optional() }),
]);

/** What else than JSON `data` may carry: base64 of bytes, with their type. */
const bytesFields = {
  encoding: z.literal('base64').optional(),
  contentType: z
    .string()
    .regex(/^[\x20-\x7e]{1,255}$/)
    .optional(),
};

/** Left out where it is no trace context, never an error: see {@link traceContextOf}. */
const traceFields = { traceparent: z.unknown().optional(), tracestate: z.unknown().optional() };

/** Frames a client may send. Unknown fields are ignored, unknown `t` is answered, not fatal. */
export const clientFrame = z.discriminatedUnion('t', [
  z.object({
    t: z.literal('hello'),
    resume: z.boolean().optional(),
    topics: z.array(helloTopic).max(1024).optional(),
    ack: z.enum(['client', 'write']).optional(),
    /** Of a client whose clock was set back it is negative: that is none. */
    awayMs: z
      .number()
      .transform((ms) => Math.max(0, ms))
      .optional(),
    last: z
      .object({ connection: z.string().min(1).max(128), seq: z.number().int().nonnegative() })
      .optional(),
    pass: z.string().max(maxPassBytes).optional(),
    info: z
      .unknown()
      .refine((info) => info === undefined || infoText(info) !== undefined)
      .optional(),
  }),
  z.object({ t: z.literal('ack'), seq: z.number().int().nonnegative(), busy: z.boolean().optional() }),
  z.object({ t: z.literal('subscribe'), id: requestId, topic, ...topicOptions }),
  z.object({ t: z.literal('unsubscribe'), id: requestId, topic }),
  z.object({ t: z.literal('presence'), id: requestId, topic }),
  z.object({ t: z.literal('history'), id: requestId, topic, ...pastOptions }),
  z.object({
    t: z.literal('publish'),
    id: requestId,
    topic,
    data: z.unknown().optional(),
    ...bytesFields,
    ...traceFields,
  }),
  z.object({
    t: z.literal('request'),
    id: requestId,
    method: z.string().max(512),
    data: z.unknown().optional(),
    ...bytesFields,
    ...traceFields,
  }),
  z.object({ t: z.literal('ping') }),
  z.object({ t: z.literal('bye') }),
  z.object({ t: z.literal('refresh'), id: requestId, token: z.string().min(1).max(maxPassBytes) }),
  z.object({ t: z.literal('cancel'), re: requestId }),
  z.object({
    t: z.literal('answer'),
    id: z.string().min(1).max(128),
    data: z.unknown().optional(),
    error: z.object({ code: z.string().min(1).max(128), message: z.string().default('') }).optional(),
    ...bytesFields,
  }),
]);
export type ParsedClientFrame = z.infer<typeof clientFrame>;
/** The values of `t` a client may send. */
export const clientFrameTypes: ReadonlySet<string> = new Set([
  'hello',
  'ack',
  'subscribe',
  'unsubscribe',
  'presence',
  'history',
  'publish',
  'request',
  'ping',
  'bye',
  'refresh',
  'cancel',
  'answer',
]);
