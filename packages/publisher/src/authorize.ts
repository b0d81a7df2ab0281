import { inspect } from 'node:util';
import type { Log } from '@evenkeel/broker';
import { PublisherError } from './errors.js';
import type {
  AuthorizeAction,
  AuthorizeHandler,
  AuthorizeOptions,
  AuthorizeQuestion,
  InboundHandler,
  InboundMessage,
  ServeOptions,
} from './types.js';

/** What edges ask begins so: `$` is no character of what clients send. */
export const isOfMesh = (key: string): boolean => key.startsWith('$');
/** Keys of what is asked about topics and methods that match `pattern`, whatever is to be done with them. */
export const questionKey = (pattern: string): string => `$authorize.*.${pattern}`;
/** The pattern of {@link questionKey}; any other as it is. */
export const withoutQuestion = (pattern: string): string => pattern.replace(/^\$authorize\.\*\./, '');

const actions: readonly unknown[] = ['subscribe', 'publish', 'request'] satisfies AuthorizeAction[];
/** An edge keeps an answer no longer. */
const maxTtlMs = 3_600_000;
/** So long an edge keeps a no that is a failure's, ms. */
const failedTtlMs = 1_000;

/** An edge waits 5 s. No question is like another that could be answered in its place, and none waits for a service to come. */
export const authorizing = (options: AuthorizeOptions): ServeOptions => ({
  handlerTimeoutMs: 5_000,
  ...options,
  graceMs: 0,
  order: 'none',
  remember: 0,
});

/** Makes of a handler of questions one of requests, which answers always. @throws PublisherError `bad-option`. */
export function answering(handler: AuthorizeHandler, log: Log): InboundHandler {
  if (typeof handler !== 'function')
    throw new PublisherError('bad-option', 'the handler is no function; give (question) => true or false');
  return async (message) => {
    const question = questionOf(message);
    if (!question) return { allow: false, ttlMs: failedTtlMs };
    try {
      const answer = await handler(question);
      if (typeof answer === 'boolean') return { allow: answer };
      const { allow, ttlMs } = answer;
      const isTtl = ttlMs === undefined || (Number.isInteger(ttlMs) && ttlMs > 0 && ttlMs <= maxTtlMs);
      if (typeof allow === 'boolean' && isTtl) return { allow, ttlMs };
      throw new Error(
        `the handler answered ${inspect(answer)}; give true, false or { allow, ttlMs: 1 to ${maxTtlMs} }`,
      );
    } catch (error) {
      const { action, topic } = question;
      log.error({ action, topic, error: inspect(error) }, 'not decided who may do it: not allowed');
      return { allow: false, ttlMs: failedTtlMs };
    }
  };
}

function questionOf({ data, signal }: InboundMessage): AuthorizeQuestion | undefined {
  const { user, session, action, topic } = (data ?? {}) as Partial<AuthorizeQuestion>;
  const areTexts = [user, session, topic].every((each) => typeof each === 'string');
  if (!areTexts || !actions.includes(action)) return undefined;
  return { user, session, action, topic, signal } as AuthorizeQuestion;
}
