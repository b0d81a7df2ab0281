import type { z } from 'zod';
import type { Scope } from '../access/keys.js';
import { batch, batchAnswer, publication, published } from './schemas.js';

/** One thing that may be asked, as the document and the server both have it. */
export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'POST';
  /** With `{name}` for each word that the caller fills in. */
  readonly path: string;
  readonly scope: Scope;
  readonly summary: string;
  readonly description: string;
  readonly status: 200 | 202;
  readonly body?: z.ZodType;
  readonly answer: z.ZodType;
  /** Bodies to try. */
  readonly examples?: Readonly<Record<string, unknown>>;
}

export const publish = {
  id: 'publish',
  method: 'POST',
  path: '/v1/publish',
  scope: 'publish',
  summary: 'Publish an event',
  description:
    'Sends an event to a user, to several, or to a topic. Answered when RabbitMQ has confirmed it: from then on it is delivered even ' +
    'if nodes fail. After a 503 it may have been published; repeat it with the same `id`.',
  status: 202,
  body: publication,
  answer: published,
  examples: {
    user: { user: 'alice', event: 'order.created', data: { order: 7 } },
    topic: { topic: 'prices.demo', data: { price: 99.5 } },
  },
} as const satisfies Operation;

export const publishBatch = {
  id: 'publishBatch',
  method: 'POST',
  path: '/v1/publish/batch',
  scope: 'publish',
  summary: 'Publish several events',
  description:
    'Each message is one as POST /v1/publish takes it. If one of them is not as the contract has it, none is published. They are ' +
    'published in order; what RabbitMQ does not confirm has an `error` in its place. Counts as many requests as it has messages.',
  status: 202,
  body: batch,
  answer: batchAnswer,
  examples: {
    two: {
      messages: [
        { user: 'alice', data: 1 },
        { topic: 'prices.demo', data: { price: 99.5 } },
      ],
    },
  },
} as const satisfies Operation;

/** Every operation, in the order of the document. */
export const operations: readonly Operation[] = [publish, publishBatch];
