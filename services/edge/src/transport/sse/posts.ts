import type { SseConnection } from './connection.js';
import type { SseStreams } from './streams.js';
import { linesOf } from './text.js';

/** An answer over HTTP, of an error with its code. */
export interface PostAnswer {
  readonly status: string;
  readonly code?: string;
  readonly message?: string;
}

/** Bodies of one connection that come at the same time. */
const maxPosting = 4;

const taken: PostAnswer = { status: '204 No Content' };
const unknown: PostAnswer = {
  status: '404 Not Found',
  code: 'no-connection',
  message: 'this connection has ended; ask GET /gateway for a new ticket, and open another stream',
};
const elsewhere: PostAnswer = {
  status: '421 Misdirected Request',
  code: 'wrong-edge',
  message:
    'the stream is on the edge that stands before the first dot; what is in front of the edges has to bring its posts there',
};
const tooMany: PostAnswer = {
  status: '429 Too Many Requests',
  code: 'too-many-posts',
  message: 'wait for the answer to one post before the next, and send what gathers meanwhile together',
};
const badNumber: PostAnswer = {
  status: '400 Bad Request',
  code: 'bad-number',
  message: 'n counts the posts of a connection from 1',
};
const early: PostAnswer = {
  status: '409 Conflict',
  code: 'out-of-order',
  message: 'an earlier post has not come yet; send that first, then this one again',
};

/** Whose post it is, before its body is read; else the answer. */
export function admitPost(streams: Pick<SseStreams, 'find'>, id: string): SseConnection | PostAnswer {
  const found = streams.find(id);
  if (found === 'unknown') return unknown;
  if (found === 'elsewhere') return elsewhere;
  return found.posting >= maxPosting ? tooMany : found;
}

/** Hands over the frames of a post that has come whole. `n`: which one it is, as its query says. */
export function takePost(connection: SseConnection, n: string | undefined, body: string): PostAnswer {
  if (!connection.isOpen) return unknown;
  const place = connection.order.place(n);
  if (place === 'bad') return badNumber;
  if (place === 'early') return early;
  if (place === 'next') for (const line of linesOf(body)) connection.take(line);
  return taken;
}
