import { defaults, type ErrorFrame, type OkFrame } from '@evenkeel/protocol/wire';
import { ClientError } from '../errors.js';
import { timerMs } from '../time.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { dataOf } from '../transport/payload.js';

/** How long to wait for an answer, and a way to stop waiting. */
export interface CallOptions {
  /** Default 30,000 ms, `Infinity` for no limit; whether it was carried out is unknown after that. */
  timeoutMs?: number;
  /** Stops waiting; what was sent cannot be called back. */
  signal?: AbortSignal;
}

interface Pending {
  readonly text: string;
  /** `subscribe` and `unsubscribe`: kept back while a new socket has been told the topics already. */
  readonly isAboutTopics: boolean;
  /** `unsubscribe`: nothing is left to undo where the socket is lost. */
  readonly isUndo: boolean;
  /** Where it was sent and which of the counted frames there it was, from 1; no socket once one has accepted it. */
  socket: EdgeSocket | undefined;
  ordinal: number;
  settle(answer: OkFrame | ClientError): void;
}

/**
 * What waits for an answer, in the order of calling: also the queue of what is not sent yet. Bounded; each is sent
 * once per socket, again only where the socket before did not take it or was lost.
 */
export class Calls {
  readonly #pending = new Map<string, Pending>();
  /** Those of `pending` that are to be sent, in the same order. */
  #unsent = new Set<Pending>();
  readonly #prefix: string;
  readonly #limit: number;
  #counter = 0;
  readonly #whenIdle: (() => void)[] = [];

  /** `prefix` sets this instance apart from earlier pages of the same session. */
  constructor(prefix: string, limit: number) {
    this.#prefix = prefix;
    this.#limit = limit;
  }

  /** Queues one; the caller flushes. Rejects with {@link ClientError}. */
  open(
    kind: 'subscribe' | 'unsubscribe' | 'publish' | 'request',
    name: string,
    data: unknown,
    { timeoutMs = defaults.requestTimeoutMs, signal }: CallOptions,
  ): Promise<unknown> {
    const isAboutTopics = kind.endsWith('subscribe');
    const isUndo = kind === 'unsubscribe';
    const id = this.#prefix + (this.#counter++).toString(36);
    const field = kind === 'request' ? 'method' : 'topic';
    const text = JSON.stringify({ t: kind, id, [field]: name, ...(isAboutTopics ? undefined : { data }) });
    const refuse = (code: string, message: string) => Promise.reject(new ClientError(code, message));
    if (signal?.aborted) return refuse('aborted', `the ${kind} was aborted before it was sent`);
    if (this.#pending.size >= this.#limit && !isUndo) {
      return refuse(
        'too-many-pending',
        `${this.#limit} calls wait for answers; wait for some, or raise maxPending`,
      );
    }
    const isLong = text.length * 3 > defaults.maxPayloadBytes;
    if (isLong && new TextEncoder().encode(text).length > defaults.maxPayloadBytes) {
      return refuse('too-large', `a frame has at most ${defaults.maxPayloadBytes} bytes; send less at once`);
    }
    return new Promise((resolve, reject) => {
      const settle = (answer: OkFrame | ClientError): void => {
        if (!this.#pending.delete(id)) return;
        this.#unsent.delete(pending);
        if (this.#pending.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        if (answer instanceof ClientError) reject(answer);
        else resolve(dataOf(answer));
      };
      const abort = (): void => settle(new ClientError('aborted', `the ${kind} was aborted`, signal?.reason));
      const timer = setTimeout(
        () =>
          settle(new ClientError('timeout', `no answer to this ${kind} within ${timeoutMs} ms; try again`)),
        timerMs(timeoutMs),
      );
      signal?.addEventListener('abort', abort);
      const pending: Pending = { text, isAboutTopics, isUndo, socket: undefined, ordinal: 0, settle };
      this.#pending.set(id, pending);
      this.#unsent.add(pending);
    });
  }

  /** Resolves when nothing waits for an answer, or after `timeoutMs`. */
  idle(timeoutMs: number): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timerMs(timeoutMs));
      this.#whenIdle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  answer(frame: OkFrame | ErrorFrame): void {
    const pending = frame.re === undefined ? undefined : this.#pending.get(frame.re);
    pending?.settle(frame.t === 'ok' ? frame : new ClientError(frame.code, frame.message));
  }

  /** Sends what is not sent, in order. */
  flush(socket: EdgeSocket, holdTopics: boolean): void {
    for (const pending of this.#unsent) {
      if (holdTopics && pending.isAboutTopics) continue;
      this.#unsent.delete(pending);
      pending.socket = socket;
      pending.ordinal = ++socket.calls;
      socket.send(pending.text);
    }
  }

  /** The old socket of a move took `received` of them: those are answered, the rest is to be sent again. */
  moved(socket: EdgeSocket, received: number): void {
    this.#again((pending) => pending.socket === socket && pending.ordinal > received);
    for (const pending of this.#pending.values()) if (pending.socket === socket) pending.socket = undefined;
  }

  /**
   * A socket was lost: what it took is unknown, so all that went there goes again, with the same ids. Without
   * `socket`: the last one, and with it the answers to what earlier ones accepted.
   */
  lost(socket?: EdgeSocket): void {
    for (const pending of [...this.#pending.values()])
      if (!socket && pending.isUndo) pending.settle({ t: 'ok', re: '' });
    this.#again((pending) => !socket || pending.socket === socket);
  }

  #again(isToBeSent: (pending: Pending) => boolean): void {
    const before = this.#unsent;
    this.#unsent = new Set();
    for (const pending of this.#pending.values()) {
      if (before.has(pending) || isToBeSent(pending)) this.#unsent.add(pending);
    }
  }

  /** Rejects all. */
  fail(error: ClientError): void {
    for (const pending of [...this.#pending.values()]) pending.settle(error);
  }
}
