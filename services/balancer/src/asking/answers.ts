import type { Delivery, Publisher } from '@evenkeel/broker';
import { answersHeader, errorHeader, sessionHeader } from '@evenkeel/protocol';
import { directReplyPrefix } from '../manage/reply-address.js';
import type { End } from './open.js';
import type { AskError } from './question.js';

/** An answer that nobody has taken after this is of no use, ms. */
const expireMs = 60_000;

/** Who has asked. */
export interface Asker {
  readonly replyTo: string;
  readonly correlationId: string | undefined;
}

export interface AnswersOptions {
  readonly publisher: Pick<Publisher, 'publish'>;
  /** For direct reply-tos. */
  readonly directAnswers: Pick<Publisher, 'publish'>;
  /** That this balancer logs in as. */
  readonly user: string | undefined;
}

/** What goes back to services that have asked clients. Lost, it is missed when the asker's time is over. */
export class Answers {
  readonly #options: AnswersOptions;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /** A client's, as it has come: an error of its own, where it has that header. */
  pass(to: Asker, session: string, { body, properties }: Pick<Delivery, 'body' | 'properties'>): void {
    const { [errorHeader]: code } = properties.headers;
    const headers = { [sessionHeader]: session, ...(typeof code === 'string' && { [errorHeader]: code }) };
    this.#send(to, body, properties.contentType ?? 'application/json', headers);
  }

  /** There is none, or no more. */
  error(to: Asker, { code, message }: AskError): void {
    this.#send(to, message, 'text/plain', { [errorHeader]: code });
  }

  /** All that have come, where all were wanted. */
  end(to: Asker, { answers, silent }: End): void {
    this.#send(to, JSON.stringify({ answers, silent }), 'application/json', { [answersHeader]: answers });
  }

  #send(
    { replyTo, correlationId }: Asker,
    body: Buffer | string,
    contentType: string,
    headers: object,
  ): void {
    const { publisher, directAnswers, user: userId } = this.#options;
    const way = replyTo.startsWith(directReplyPrefix) ? directAnswers : publisher;
    const properties = { contentType, correlationId, userId, expiration: expireMs, persistent: false };
    way.publish('', replyTo, body, { ...properties, headers: { ...headers } }).catch(() => {});
  }
}
