import type { Delivery } from '@evenkeel/broker';
import { clockToleranceMs } from '@evenkeel/cluster';
import { isSentTo, readJson } from '@evenkeel/mesh';
import {
  askErrors,
  asking,
  atHeader,
  exchanges,
  isTopic,
  readQuestionKey,
  type Want,
  wantHeader,
} from '@evenkeel/protocol';
import { directReplyPrefix, isReplyAddress } from '../manage/reply-address.js';

/** What a service asks a user's clients. */
export interface Question {
  readonly uid: string;
  readonly method: string;
  readonly want: Want;
  /** Answers are waited for so long from when it was asked, ms. */
  readonly timeoutMs: number;
  /** What is left of it. */
  readonly leftMs: number;
}

/** Why something is no question, or has no answer. */
export interface AskError {
  readonly code: string;
  readonly message: string;
}

const bad = (message: string): AskError => ({ code: askErrors.badQuestion, message });

/**
 * How long a question has waited in the queue at least, by its `evenkeel-at`: that of a host whose clock may be off by as much as is
 * tolerated. RabbitMQ drops it at the end of its time: what would be older than that was written by a clock that is wrong, and so was
 * what is to come.
 */
function waitedMs({ expiration, headers }: Delivery['properties'], nowMs: number): number {
  const { [atHeader]: atMs } = headers;
  if (typeof atMs !== 'number') return 0;
  const ageMs = nowMs - atMs - clockToleranceMs;
  return ageMs > 0 && ageMs <= Number(expiration ?? asking.maxTimeoutMs) ? Math.floor(ageMs) : 0;
}

/** Reads what has come on `mesh.ask`. @param nowMs of the host's clock. */
export function readQuestion(
  delivery: Pick<Delivery, 'exchange' | 'key' | 'body' | 'properties'>,
  nowMs: number,
): Question | AskError {
  const { key, body, properties } = delivery;
  if (!isSentTo(delivery, exchanges.ask)) return bad(`publish it to ${exchanges.ask} itself`);
  const asked = readQuestionKey(key);
  if (asked === undefined || !isTopic(asked.method))
    return bad(
      `the key '${key.slice(0, 64)}' is not <uid>.<method…>: words of A-Z a-z 0-9 _ ~ - joined by dots`,
    );
  if (body.length > asking.maxQuestionBytes) {
    const message = `the question has ${body.length} bytes; it may have ${asking.maxQuestionBytes}`;
    return { code: askErrors.tooLarge, message };
  }
  if (readJson(body) === undefined) return bad('the body is no JSON');
  const want = properties.headers[wantHeader] ?? 'first';
  if (want !== 'first' && want !== 'all') return bad(`${wantHeader} is neither 'first' nor 'all'`);
  const timeoutMs = Number(properties.expiration ?? asking.timeoutMs);
  if (!(timeoutMs >= 1 && timeoutMs <= asking.maxTimeoutMs))
    return bad(`expiration is how long answers are waited for: 1 to ${asking.maxTimeoutMs} ms`);
  const leftMs = timeoutMs - waitedMs(properties, nowMs);
  if (leftMs >= 1) return { ...asked, want, timeoutMs, leftMs };
  const message = `its ${timeoutMs} ms were over before a balancer had it; nobody was asked`;
  return { code: askErrors.timeout, message };
}

/** First words of the queues of the mesh itself: an answer there would be taken for something else. */
const ownWords: ReadonlySet<string> = new Set([
  'session',
  'mesh',
  'edge',
  'control',
  'gateway',
  'balancer',
  'history',
]);

/** Those of queues that applications, operators and the API have. */
const othersWords: ReadonlySet<string> = new Set(['service', 'operator', 'api']);

/**
 * Whether an answer may go there: a queue of whatever name, but none of the mesh's own and none that RabbitMQ keeps for itself.
 * @param user who asks, as far as RabbitMQ has checked it: an application may name no other's queue.
 */
export function isAnswerable(replyTo: string, user?: string): boolean {
  if (replyTo === '' || Buffer.byteLength(replyTo) > 255) return false;
  const [first = ''] = replyTo.split('.', 1);
  if (replyTo.startsWith(directReplyPrefix) || first === 'amq') return isReplyAddress(replyTo);
  if (ownWords.has(first)) return false;
  const [, name] = user === undefined ? [] : (/^app-(.+)$/.exec(user) ?? []);
  if (name === undefined || replyTo.startsWith(`service.${name}.`)) return true;
  return !othersWords.has(first);
}
