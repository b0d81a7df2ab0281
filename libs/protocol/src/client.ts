/** What clients send over the WebSocket. What edges send is in frames.ts: nobody checks it at run time. */
import { z } from 'zod';

const requestId = z.union([z.string().min(1).max(128), z.number().int().nonnegative().transform(String)]);

/** Frames a client may send. Unknown fields are ignored, unknown `t` is answered, not fatal. */
export const clientFrame = z.discriminatedUnion('t', [
  z.object({
    t: z.literal('hello'),
    resume: z.boolean().optional(),
    topics: z.array(z.string().max(512)).max(1024).optional(),
    ack: z.enum(['client', 'write']).optional(),
    awayMs: z.number().nonnegative().optional(),
  }),
  z.object({ t: z.literal('ack'), seq: z.number().int().nonnegative() }),
  z.object({ t: z.literal('subscribe'), id: requestId, topic: z.string().max(512) }),
  z.object({ t: z.literal('unsubscribe'), id: requestId, topic: z.string().max(512) }),
  z.object({
    t: z.literal('publish'),
    id: requestId,
    topic: z.string().max(512),
    data: z.unknown().optional(),
  }),
  z.object({
    t: z.literal('request'),
    id: requestId,
    method: z.string().max(512),
    data: z.unknown().optional(),
  }),
  z.object({ t: z.literal('ping') }),
]);
export type ParsedClientFrame = z.infer<typeof clientFrame>;
/** The values of `t` a client may send. */
export const clientFrameTypes: ReadonlySet<string> = new Set([
  'hello',
  'ack',
  'subscribe',
  'unsubscribe',
  'publish',
  'request',
  'ping',
]);
