import { monotonicNow, TokenBucket } from '@evenkeel/pace';
import type { ConnectionLimits, ErrorFrame, OkFrame } from '@evenkeel/protocol/wire';
import { ClientError, reasonOf } from '../errors.js';
import * as limits from '../limits.js';
import { Waiters } from '../time.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { dataOf, fieldsOf } from '../transport/payload.js';
import { patience, type SendOptions } from './patience.js';

interface Pending {
  readonly text: string;
  readonly kind: CallKind;
  /** Where it was sent and which of the counted frames there it was, from 1; no socket once one has accepted it. */
  socket: EdgeSocket | undefined;
  ordinal: number;
  settle(answer: OkFrame | ClientError): void;
}

export type CallKind =
  | 'subscribe'
  | 'unsubscribe'
  | 'publish'
  | 'request'
  | 'refresh'
  | 'presence'
  | 'history'
  | 'answer';
/** Those that edges count: of others it is unknown after a move whether they were taken, and they go again. */
const isCounted = (kind: CallKind): boolean => /b|q/.test(kind);
/** Kept back while a new socket has been told the topics already. */
const isAboutTopics = (kind: CallKind): boolean => kind.endsWith('subscribe');
/** `name`'s field. */
const fields: Partial<Record<CallKind, string>> = { request: 'method', refresh: 'token' };

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
  readonly #waiters = new Waiters();

  /** What the edge takes. */
  #maxFrameBytes: number = limits.maxFrameBytes;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #flushAgain: () => void;

  /** `prefix` sets this instance apart from earlier pages of the same session. `flushNow`: to where calls go now. */
  constructor(prefix: string, limit: number, flushNow: () => void) {
    this.#prefix = prefix;
    this.#limit = limit;
    this.#flushAgain = flushNow;
  }

  /**
   * Queues one; the caller flushes. `more`: further fields of the frame, or others in place of what stands there.
   * Rejects with {@link ClientError}.
   */
  async open(
    kind: CallKind,
    name: string,
    data: unknown,
    { timeoutMs = limits.callMs, signal, traceparent, tracestate }: SendOptions,
    more?: object,
    id = this.#prefix + (this.#counter++).toString(36),
  ): Promise<unknown> {
    let text: string;
    try {
      const body = { ...fieldsOf(data), traceparent, tracestate };
      text = JSON.stringify({ t: kind, id, [fields[kind] ?? 'topic']: name, ...body, ...more });
    } catch (cause) {
      throw new ClientError('bad-body', `what you ${kind} must be JSON or bytes: ${reasonOf(cause)}`, cause);
    }
    if (signal?.aborted) throw new ClientError('aborted', `the ${kind} was aborted`);
    if (this.#pending.size >= this.#limit && kind !== 'unsubscribe') {
      throw new ClientError('too-many-pending', `${this.#limit} calls wait; raise maxPending`);
    }
    const tooLarge = this.#tooLarge(text);
    if (tooLarge) throw tooLarge;
    return new Promise((resolve, reject) => {
      const settle = (answer: OkFrame | ClientError): void => {
        if (!this.#pending.delete(id)) return;
        this.#unsent.delete(pending);
        if (this.#pending.size === 0) this.#waiters.freeAll();
        stop();
        if (answer instanceof ClientError) reject(answer);
        else resolve(dataOf(answer));
      };
      const stop = patience(`this ${kind}`, { timeoutMs, signal }, settle);
      const pending: Pending = { text, kind, socket: undefined, ordinal: 0, settle };
      this.#pending.set(id, pending);
      this.#unsent.add(pending);
    });
  }

  /** Resolves when nothing waits for an answer, or after `timeoutMs`. */
  async idle(timeoutMs: number): Promise<void> {
    if (this.#pending.size > 0) await this.#waiters.wait(timeoutMs);
  }

  answered(frame: OkFrame | ErrorFrame): void {
    const pending = frame.re === undefined ? undefined : this.#pending.get(frame.re);
    const pace = pending?.socket?.pace;
    if (pending && pace && frame.t === 'error' && frame.code === 'rate-limited') {
      // Frames that the network held up have come all at once. Nothing was done, so it goes again, and more slowly.
      pace.tryTake(monotonicNow(), pace.available(monotonicNow()));
      this.#again((each) => each === pending);
      this.#flushAgain();
    } else
      pending?.settle(
        frame.t === 'ok'
          ? frame
          : new ClientError(frame.code, frame.message, undefined, frame.from ?? 'mesh'),
      );
  }

  /** The edge has said what it takes; older ones do not. */
  welcomed(socket: EdgeSocket, given: ConnectionLimits | undefined): void {
    this.#maxFrameBytes = given?.maxFrameBytes ?? limits.maxFrameBytes;
    if (!given) return;
    const burst = Math.max(1, given.burst * limits.paceBurst);
    socket.pace = new TokenBucket(given.framesPerSecond * limits.paceRate, burst, monotonicNow());
  }

  /** Sends what is not sent, in order, and as fast as the edge takes it. */
  flushNow(socket: EdgeSocket, holdTopics: boolean): void {
    clearTimeout(this.#timer);
    const { pace } = socket;
    const nowMs = monotonicNow();
    for (const pending of this.#unsent) {
      if (holdTopics && isAboutTopics(pending.kind)) continue;
      const tooLarge = this.#tooLarge(pending.text);
      if (tooLarge) {
        pending.settle(tooLarge);
        continue;
      }
      if (pace && !pace.tryTake(nowMs)) {
        this.#timer = setTimeout(this.#flushAgain, pace.waitMs(nowMs));
        return;
      }
      this.#unsent.delete(pending);
      pending.socket = socket;
      pending.ordinal = isCounted(pending.kind) ? ++socket.calls : Infinity;
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
    // Nothing is left to undo where the socket is lost.
    for (const pending of [...this.#pending.values()])
      if (!socket && pending.kind === 'unsubscribe') pending.settle({ t: 'ok', re: '' });
    this.#again((pending) => !socket || pending.socket === socket);
  }

  #again(isToBeSent: (pending: Pending) => boolean): void {
    const before = this.#unsent;
    this.#unsent = new Set();
    for (const pending of this.#pending.values()) {
      if (before.has(pending) || isToBeSent(pending)) this.#unsent.add(pending);
    }
  }

  #tooLarge(text: string): ClientError | undefined {
    const maxFrameBytes = this.#maxFrameBytes;
    if (text.length * 3 <= maxFrameBytes || new TextEncoder().encode(text).length <= maxFrameBytes)
      return undefined;
    return new ClientError('too-large', `a frame has at most ${maxFrameBytes} bytes; send less`);
  }

  /** Rejects all. */
  fail(error: ClientError): void {
    clearTimeout(this.#timer);
    for (const pending of [...this.#pending.values()]) pending.settle(error);
  }
}
