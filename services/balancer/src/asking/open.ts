import { askErrors, type Want } from '@evenkeel/protocol';
import type { AskError } from './question.js';

/** Who asks, and what is known of the answers so far. */
export interface OpenAsk {
  readonly uid: string;
  readonly method: string;
  readonly want: Want;
  readonly timeoutMs: number;
  /** The end of it, by the host's clock. */
  readonly untilMs: number;
  readonly replyTo: string;
  readonly correlationId: string | undefined;
  /** Ids of the sessions that it is for, as far as they are known; undefined: not yet. */
  asked: ReadonlySet<string> | undefined;
  /** Those that have answered: once each. */
  readonly heard: Set<string>;
}

/** What of an answer goes to whoever asks. */
export type Turn =
  /** A session's second one. */
  | 'repeated'
  /** It is kept to itself: another session may have a better one. */
  | 'kept'
  | 'passed'
  /** Passed on, and nothing comes after it but, where all are wanted, the end. */
  | 'last';

/** Every session that it is for has answered. */
const isComplete = ({ asked, heard }: OpenAsk): boolean =>
  asked !== undefined && asked.size > 0 && [...asked].every((sid) => heard.has(sid));

/**
 * An answer has come from the session `sid`. Where one is enough, a client that serves no such method is no answer, as long as
 * another may have one; nor is it one that its edge could not send it.
 */
export function takeAnswer(ask: OpenAsk, sid: string, code: string | undefined): Turn {
  if (ask.heard.has(sid)) return 'repeated';
  ask.heard.add(sid);
  const isWhole = isComplete(ask);
  if (ask.want === 'all') return isWhole ? 'last' : 'passed';
  const isNone = code === askErrors.noHandler || code === askErrors.tooLarge;
  return isNone && !isWhole ? 'kept' : 'last';
}

/** The end of answers where all were wanted. */
export interface End {
  readonly answers: number;
  readonly silent: readonly string[];
}

/** Its time is over. */
export function timedOut(ask: OpenAsk): End | AskError {
  const { want, heard, asked = new Set(), method, timeoutMs } = ask;
  if (want === 'all' && heard.size > 0) return endOf(ask);
  const serving = heard.size > 0 ? `; ${heard.size} serve no '${method}', or cannot be sent as much` : '';
  const message = `no answer to '${method}' within ${timeoutMs} ms from ${asked.size} sessions${serving}`;
  return { code: askErrors.timeout, message };
}

export const endOf = ({ heard, asked = new Set() }: OpenAsk): End => ({
  answers: heard.size,
  silent: [...asked].filter((sid) => !heard.has(sid)),
});
