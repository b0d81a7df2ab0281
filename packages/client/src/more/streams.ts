import type { ErrorFrame, OkFrame, WelcomeFrame } from '@evenkeel/protocol/wire';
import { patience, type SendOptions } from '../calls/patience.js';
import { ClientError } from '../errors.js';
import * as limits from '../limits.js';
import type { PartedConnection } from '../seams/connection.js';
import type { AnyFrame, Part } from '../seams/part.js';
import type { Status } from '../status.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { dataOf } from '../transport/payload.js';

/** Ids of answers that have ended here, so that what still comes of them is dropped. */
const maxEnded = 256;
/** Parts of one answer that wait to be read. */
const maxUnreadParts = 10_000;
/** Cancellations kept while nobody is connected; the oldest is given up beyond it: its service is told by its own limit of time. */
const maxUnsaid = 256;

/** How what is asked and answered is checked: each is given back, or another value in its place, or a {@link ClientError} is thrown. */
export interface StreamChecks {
  /** Of the question; undefined: it is as it should be. */
  readonly given: Promise<void> | undefined;
  part(value: unknown): unknown;
  reply(value: unknown): unknown;
}

/**
 * The answer to a request, part by part, each once and in order. The iteration returns what the service has said last.
 * @example
 * const answer: ClientStream<string> = client.stream('assistant.ask', { text: 'Why?' });
 * for await (const word of answer) console.log(word); // leaving the loop cancels
 */
export class ClientStream<Data = unknown> implements AsyncIterableIterator<Data, unknown> {
  /** Of the request. */
  readonly id: string;
  /** Number of the next part: more than 0 at first where an earlier page of the session has had some. */
  n: number | undefined;
  /** @internal */
  isClaimed = false;
  /** @internal */
  hasBegun = false;
  /** @internal Called once it is over. */
  release: (() => void) | undefined;
  /** @internal How long each part may take, ms. Undefined: an earlier page has asked, and the edge says. */
  timeoutMs: number | undefined;
  /** @internal Ends the wait for the next part. */
  stopWaiting: (() => void) | undefined;
  readonly #cancel: () => void;
  readonly #checks: StreamChecks | undefined;
  #items: Data[] = [];
  #end: { value: unknown } | { error: unknown } | undefined;
  #waiting: (() => void)[] = [];

  /** @internal */
  constructor(id: string, cancel: () => void, checks?: StreamChecks) {
    this.id = id;
    this.#cancel = cancel;
    this.#checks = checks;
  }

  [Symbol.asyncIterator](): this {
    this.isClaimed = true;
    return this;
  }

  /**
   * @throws ClientError with the service's or the mesh's code; `parts-missing`: the answer is not whole; `unread`: too much of it waits;
   * `timeout`: no further part has come in time; `bad-data`: it is not as the mesh defines it.
   */
  async next(): Promise<IteratorResult<Data, unknown>> {
    for (;;) {
      if (this.#items.length > 0) {
        const value = (await this.#checked('part', this.#items.shift())) as Data;
        return { done: false, value };
      }
      const end = this.#end;
      if (end && 'error' in end) {
        this.#end = { value: undefined };
        throw end.error;
      }
      if (end) return { done: true, value: await this.#checked('reply', end.value) };
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Leaving the loop: the service is told that nobody wants the rest. */
  async return(): Promise<IteratorResult<Data, unknown>> {
    const isOver = this.#end !== undefined;
    this.finish({ value: undefined });
    this.#items = [];
    if (!isOver) this.#cancel();
    return { done: true, value: undefined };
  }

  /** @internal Parts that have come and were not read. */
  get unread(): number {
    return this.#items.length;
  }

  /** @internal */
  push(data: Data): void {
    this.#items.push(data);
    this.#free();
  }

  /** @internal */
  finish(end: { value: unknown } | { error: unknown }): void {
    this.#end ??= end;
    this.release?.();
    this.release = undefined;
    this.#free();
  }

  async #checked(what: 'part' | 'reply', value: unknown): Promise<unknown> {
    if (!this.#checks || (value === undefined && what === 'reply')) return value;
    try {
      return await this.#checks[what](value);
    } catch (error) {
      void this.return();
      this.#end = { value: undefined };
      throw error;
    }
  }

  #free(): void {
    for (const free of this.#waiting.splice(0)) free();
  }
}

/** Answers in parts. */
export class Streams implements Part {
  readonly #connection: PartedConnection;
  readonly #open = new Map<string, ClientStream>();
  readonly #ended = new Set<string>();
  /** Cancelled, and no edge has been told. */
  readonly #unsaid = new Set<string>();
  readonly #prefix = `${Math.random().toString(36).slice(2, 12)}-s`;
  #counter = 0;
  /** Whose queue the parts wait in. */
  #session: string | undefined;

  constructor(connection: PartedConnection) {
    this.#connection = connection;
  }

  /** Those that have not ended and that nobody iterates over: of an earlier page. */
  get unclaimed(): ClientStream[] {
    return [...this.#open.values()].filter(({ isClaimed }) => !isClaimed);
  }

  open<Data>(method: string, data: unknown, options: SendOptions, checks?: StreamChecks): ClientStream<Data> {
    const id = this.#prefix + (this.#counter++).toString(36);
    const stream = this.#begin(id, checks);
    stream.isClaimed = true;
    stream.n = 0;
    stream.timeoutMs = options.timeoutMs ?? limits.callMs;
    const { signal } = options;
    const abort = (): void => this.#abort(id, signal?.reason);
    signal?.addEventListener('abort', abort);
    stream.release = () => signal?.removeEventListener('abort', abort);
    const ask = (): Promise<unknown> => this.#connection.ask('request', method, data, options, undefined, id);
    const asked = checks?.given ? checks.given.then(() => this.#open.has(id) && ask()) : ask();
    asked.then(
      // Settled by its first part it goes on; else this is all of it.
      (value) => !stream.hasBegun && this.#finish(id, { value }),
      (error: unknown) => this.#finish(id, { error }),
    );
    return stream as ClientStream<Data>;
  }

  received(socket: EdgeSocket, frame: AnyFrame): boolean | undefined {
    const { t, re, seq } = frame;
    if (t === 'gap' && frame.topic === undefined && frame.reason === 'session-expired') this.#lost();
    if (typeof re !== 'string') return undefined;
    if (t === 'part') {
      this.#connection.takeCounted(socket, counted(frame), `${re} ${String(frame.n)}`, () =>
        this.#take(re, frame),
      );
      return true;
    }
    if (t !== 'ok' && t !== 'error') return undefined;
    const stream = this.#open.get(re);
    if (typeof seq !== 'number' && !stream?.hasBegun) return undefined;
    const end = (): void => this.#last(re, frame as unknown as OkFrame | ErrorFrame);
    if (typeof seq === 'number') this.#connection.takeCounted(socket, counted(frame), `${re} end`, end);
    else end();
    return true;
  }

  welcomed(_socket: EdgeSocket, { session }: WelcomeFrame): void {
    const isOther = this.#session !== undefined && this.#session !== session;
    this.#session = session;
    if (isOther) this.#lost();
    for (const [id, stream] of this.#open) if (stream.hasBegun) this.#wait(id, stream);
  }

  status(status: Status): undefined {
    if (status.type === 'connected' || status.type === 'moved')
      for (const re of [...this.#unsaid]) this.#say(re);
    if (status.type !== 'closed') return;
    const error = status.error ?? new ClientError('closed', 'the client was closed');
    for (const id of [...this.#open.keys()]) this.#finish(id, { error });
  }

  #take(re: string, frame: AnyFrame): void {
    if (this.#ended.has(re)) return;
    const { n } = frame;
    const stream = this.#open.get(re) ?? this.#begin(re);
    if (typeof n !== 'number' || n < (stream.n ?? 0)) return;
    // It has begun: it is not asked again, whatever becomes of the connection.
    if (!stream.hasBegun) {
      stream.hasBegun = true;
      this.#connection.calls.answered({ t: 'ok', re });
    }
    if (stream.n !== undefined && n !== stream.n) return this.#finish(re, { error: missing() });
    stream.n = n + 1;
    this.#wait(re, stream);
    if (stream.unread >= maxUnreadParts) return this.#cancel(re, unread());
    stream.push(dataOf(frame as never));
  }

  /** Anew with each part, and each connection: the next one may take as long as the first. */
  #wait(id: string, stream: ClientStream): void {
    const { timeoutMs } = stream;
    stream.stopWaiting?.();
    if (timeoutMs === undefined) return;
    const late = (): ClientError => new ClientError('timeout', `no part within ${timeoutMs} ms; ask again`);
    const giveUp = (error: ClientError): void => {
      const { state, eventQueue } = this.#connection;
      // What there is of it may wait for a connection, or behind an event that is being handled.
      if (state !== 'connected' || eventQueue.atWork) this.#wait(id, stream);
      else this.#cancel(id, error);
    };
    stream.stopWaiting = patience('a part', { timeoutMs }, giveUp, late);
  }

  /** The queue in which the rest of them waited is gone, or another's. */
  #lost(): void {
    for (const [id, stream] of this.#open) if (stream.hasBegun) this.#finish(id, { error: missing() });
  }

  #last(re: string, frame: OkFrame | ErrorFrame): void {
    const stream = this.#open.get(re);
    this.#connection.calls.answered({ t: 'ok', re });
    const isWhole = frame.parts === undefined || stream?.n === undefined || stream.n === frame.parts;
    if (frame.t === 'error')
      this.#finish(re, {
        error: new ClientError(frame.code, frame.message, undefined, frame.from ?? 'mesh'),
      });
    else this.#finish(re, isWhole ? { value: dataOf(frame) } : { error: missing() });
  }

  #begin(id: string, checks?: StreamChecks): ClientStream {
    const stream = new ClientStream(id, () => this.#abort(id, undefined), checks);
    this.#open.set(id, stream);
    return stream;
  }

  #abort(id: string, reason: unknown): void {
    this.#cancel(id, new ClientError('aborted', 'the stream was aborted', reason));
  }

  #cancel(id: string, error: ClientError): void {
    if (!this.#open.has(id)) return;
    this.#say(id);
    this.#finish(id, { error });
  }

  /** At once, or when it is connected again. */
  #say(re: string): void {
    this.#unsaid.delete(re);
    if (!this.#connection.say({ t: 'cancel', re })) this.#unsaid.add(re);
    const [oldest] = this.#unsaid;
    if (this.#unsaid.size > maxUnsaid && oldest !== undefined) this.#unsaid.delete(oldest);
  }

  #finish(id: string, end: { value: unknown } | { error: unknown }): void {
    const stream = this.#open.get(id);
    if (!stream) return;
    this.#open.delete(id);
    this.#ended.add(id);
    const [oldest] = this.#ended;
    if (this.#ended.size > maxEnded && oldest !== undefined) this.#ended.delete(oldest);
    stream.stopWaiting?.();
    stream.finish(end);
  }
}

const counted = (frame: AnyFrame) => frame as unknown as { seq: number; redelivered?: true; again?: number };
const unread = (): ClientError =>
  new ClientError('unread', `${maxUnreadParts} parts of the answer wait: read them, or leave the loop`);
const missing = (): ClientError =>
  new ClientError('parts-missing', 'parts of the answer are missing; ask again');
