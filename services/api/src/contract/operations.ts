import type { z } from 'zod';
import type { Scope } from '../access/keys.js';
import { batch, batchAnswer, publication, published } from './schemas.js';
import { past, pastQuery, topicMembers, topicParams } from './topics.js';
import {
  answered,
  disconnected,
  disconnection,
  placed,
  placing,
  question,
  userOnline,
  userParams,
} from './users.js';

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
  /** What stands in the place of each `{name}`. */
  readonly params?: z.ZodObject;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** Nothing is as good as `{}`. */
  readonly isBodyOptional?: boolean;
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

export const topicHistory = {
  id: 'topicHistory',
  method: 'GET',
  path: '/v1/topics/{topic}/history',
  scope: 'read',
  summary: 'Read what was published to a topic',
  description:
    'The newest messages (`last`), or all that came behind a position (`since`): every one of them, or `history-lost`. Positions are ' +
    'those that clients have. Of a topic whose namespace keeps a history.',
  status: 200,
  params: topicParams,
  query: pastQuery,
  answer: past,
} as const satisfies Operation;

export const topicPresence = {
  id: 'topicPresence',
  method: 'GET',
  path: '/v1/topics/{topic}/presence',
  scope: 'read',
  summary: 'Who is in a topic',
  description: 'Its users, since when, and what is told of each. Of a topic whose namespace keeps presence.',
  status: 200,
  params: topicParams,
  answer: topicMembers,
} as const satisfies Operation;

export const user = {
  id: 'user',
  method: 'GET',
  path: '/v1/users/{id}',
  scope: 'read',
  summary: 'Whether a user is online',
  description: "The user's sessions, where and since when each is. Every edge is asked.",
  status: 200,
  params: userParams,
  answer: userOnline,
} as const satisfies Operation;

export const disconnectUser = {
  id: 'disconnectUser',
  method: 'POST',
  path: '/v1/users/{id}/disconnect',
  scope: 'sessions',
  summary: 'End sessions of a user',
  description:
    'Closes the sockets of the user, or of one session, and ends the sessions: what waits for them goes to mesh.undelivered. Nothing ' +
    'keeps the user from coming again.',
  status: 200,
  params: userParams,
  body: disconnection,
  isBodyOptional: true,
  answer: disconnected,
  examples: { all: {}, one: { session: 'Yk3sPq0vT1aBcD9e' } },
} as const satisfies Operation;

export const subscribeUser = {
  id: 'subscribeUser',
  method: 'POST',
  path: '/v1/users/{id}/subscribe',
  scope: 'sessions',
  summary: 'Put sessions of a user into a topic',
  description:
    'Whatever the user may subscribe: the application decides. A session stays in the topic over moves, reloads and lost edges until it ' +
    'is taken out, its client leaves the topic, or it ends. Sessions that begin later are not in it.',
  status: 200,
  params: userParams,
  body: placing,
  answer: placed,
  examples: { all: { topic: 'room.42' }, one: { topic: 'room.42', session: 'Yk3sPq0vT1aBcD9e' } },
} as const satisfies Operation;

export const unsubscribeUser = {
  id: 'unsubscribeUser',
  method: 'POST',
  path: '/v1/users/{id}/unsubscribe',
  scope: 'sessions',
  summary: 'Take sessions of a user out of a topic',
  description: 'Also what the client has subscribed itself; it may subscribe again what it is granted.',
  status: 200,
  params: userParams,
  body: placing,
  answer: placed,
  examples: { all: { topic: 'room.42' } },
} as const satisfies Operation;

export const requestOfUser = {
  id: 'requestOfUser',
  method: 'POST',
  path: '/v1/users/{id}/request',
  scope: 'request',
  summary: "Ask a user's clients",
  description:
    'What clients answer that serve the method: the first answer, or one of every session with those that stay silent. An error of a ' +
    "client's own is an answer too. A client may be asked twice where a node of the mesh dies.",
  status: 200,
  params: userParams,
  body: question,
  answer: answered,
  examples: {
    first: { method: 'order.confirm', data: { order: 7 } },
    all: { method: 'status', data: null, want: 'all', timeoutMs: 5_000 },
  },
} as const satisfies Operation;

/** Every operation, in the order of the document. */
export const operations: readonly Operation[] = [
  publish,
  publishBatch,
  topicHistory,
  topicPresence,
  user,
  disconnectUser,
  subscribeUser,
  unsubscribeUser,
  requestOfUser,
];
