import { ServiceError } from './errors.js';
import { errorReplyOf, type Reply, replyOf, serviceFailed } from './reply.js';

/** Parts that may be sent and not acknowledged by the client, and how often it is asked how far that has got. */
const aheadParts = 32;
const askEvery = 8;
/** A client that takes nothing for so long has an answer no more, ms; it is asked once more before. */
const stalledMs = 30_000;
const askAgainMs = 15_000;

export interface StreamOptions {
  /** What the handler has returned. */
  readonly parts: AsyncIterable<unknown>;
  /** For each part, ms. */
  readonly limitMs: number;
  /** Aborted when nobody wants the answer any more. */
  readonly ending: AbortController;
  /** Sends a part; true once somebody has it, confirmed. `isAsked`: how far the client has got is to be told. */
  send(n: number, part: Reply, isAsked: boolean): Promise<boolean>;
  /** The first part is out. */
  onBegun(): void;
  /** It has failed, and not for a reason that the client is told. */
  onFailed(error: unknown): void;
}

/** Whether it is answered in parts. */
export const isStream = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

/** Whether calling it makes parts, as far as can be seen. */
export const makesParts = (handler: unknown): boolean =>
  Object.prototype.toString.call(handler) === '[object AsyncGeneratorFunction]';

/** One answer in parts on its way: never more than a few parts ahead of the client, so that they do not push out its events. */
export class Stream {
  readonly #options: StreamOptions;
  #taken = -1;
  #sent = 0;
  #last: Reply | undefined;
  #wake: (() => void) | undefined;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  /** The client has acknowledged the parts up to `n`. */
  taken(n: number): void {
    if (n <= this.#taken || n >= this.#sent) return;
    this.#taken = n;
    this.#wake?.();
  }

  /** Resolves with the last message of the answer; never rejects. */
  async run(): Promise<Reply> {
    const { parts, ending, onFailed, send, onBegun } = this.#options;
    let iterator: AsyncIterator<unknown> | undefined;
    try {
      iterator = parts[Symbol.asyncIterator]();
      for (;;) {
        const next = await this.#timed(iterator.next());
        const reply = replyOf(next.value);
        if (next.done || reply.errorCode !== undefined) return { ...reply, parts: this.#sent };
        await this.#room();
        const n = this.#sent;
        this.#last = reply;
        this.#sent += 1;
        if (!(await send(n, reply, n % askEvery === askEvery - 1))) throw gone();
        if (n === 0) onBegun();
      }
    } catch (error) {
      const told = errorReplyOf(error);
      if (told === undefined) onFailed(error);
      return { ...(told ?? serviceFailed), parts: this.#sent };
    } finally {
      if (!ending.signal.aborted) ending.abort();
      // It may be at work, and hear nothing of it before that is done.
      iterator?.return?.().catch(() => {});
    }
  }

  #timed<Value>(work: Promise<Value>): Promise<Value> {
    const { limitMs, ending } = this.#options;
    return this.#raced(work, limitMs, () => {
      const error = new Error(`the handler has made no part within ${limitMs} ms (handlerTimeoutMs)`);
      ending.abort(error);
      return error;
    });
  }

  /** Resolves once the client is near enough. */
  async #room(): Promise<void> {
    const { send } = this.#options;
    while (this.#sent - this.#taken > aheadParts) {
      const isTaken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      // What was told of it may have been lost with an edge.
      const timer = setTimeout(() => {
        if (this.#last) send(this.#sent - 1, this.#last, true).catch(() => {});
      }, askAgainMs);
      try {
        await this.#raced(isTaken, stalledMs, stalled);
      } finally {
        clearTimeout(timer);
      }
    }
  }

  async #raced<Value>(work: Promise<Value>, limitMs: number, late: () => Error): Promise<Value> {
    const { signal } = this.#options.ending;
    let timer: NodeJS.Timeout | undefined;
    let abort = (): void => {};
    const ended = new Promise<never>((_resolve, reject) => {
      abort = () => reject(signal.reason instanceof Error ? signal.reason : cancelled());
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort);
      if (limitMs !== Number.POSITIVE_INFINITY) timer = setTimeout(() => reject(late()), limitMs).unref();
    });
    work.catch(() => {});
    try {
      return await Promise.race([work, ended]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }
}

/** Why an answer ends that its client has cancelled. */
export const cancelled = (): ServiceError => new ServiceError('cancelled', 'the request was cancelled');
const gone = (): ServiceError => new ServiceError('session-ended', 'nobody is there to get the answer');
const stalled = (): ServiceError =>
  new ServiceError('stream-stalled', `the client has taken no part for ${stalledMs} ms`);
