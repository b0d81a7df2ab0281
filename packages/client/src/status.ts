import type { GapReason } from '@evenkeel/protocol/wire';
import type { ClientError } from './errors.js';
import type { ClientEvent } from './events/event.js';
import * as limits from './limits.js';

/** What a client tells about itself, told apart by `type`. */
export type Status =
  /** An attempt begins. `attempt` counts from 0 since the last stable connection. */
  | { type: 'connecting'; attempt: number }
  /**
   * An attempt failed; the next begins after `retryInMs`. `code`: of the gateway's error, the close code, or `http-401`
   * and so on where it is known how an edge answered (browsers hide it). `node`: the edge that was dialled. `cause`: what was
   * thrown, also by `getToken` (`get-token-failed`).
   */
  | {
      type: 'connect-failed';
      code: number | string;
      reason: string;
      retryInMs: number;
      node?: string;
      cause?: unknown;
    }
  | { type: 'connected'; node: string; session: string; resumed: boolean }
  /** The mesh asked for a move; the connection goes on. */
  | { type: 'moving'; move: string; reason: string }
  | { type: 'moved'; move: string; node: string; from: string | undefined }
  /** The move did not happen; the connection goes on where it was, or is resumed. */
  | { type: 'move-failed'; move: string; reason: string }
  /** There is no socket any more. Never sent in a planned move. */
  | { type: 'disconnected'; code: number; reason: string; retryInMs: number }
  /** Events (or messages of `topic`) may be missing before the next one. */
  | { type: 'gap'; topic?: string; reason: GapReason | (string & {}) }
  /**
   * An event came under the id of an earlier one and was not handed on: its publisher has sent it twice, or has given two
   * events one `message_id`. `count`: how often so far; told for 1, 2, 4, 8, …
   */
  | { type: 'duplicate-id'; id: string; name: string; count: number }
  /** A handler threw or rejected; the event counts as handled. */
  | { type: 'handler-error'; error: unknown; id: string; name: string }
  /** An event had no handler, and got none within 30 s; it counts as handled. */
  | { type: 'unhandled'; id: string; name: string }
  /** A handler did not settle in time; the event counts as handled. */
  | { type: 'handler-timeout'; event: ClientEvent }
  /** An edge reported an error that belongs to no request. */
  | { type: 'error'; code: string; message: string }
  /** The end; `error` when it was not asked for by `close()`. */
  | { type: 'closed'; error?: ClientError };

interface Listener {
  readonly hear: (status: Status) => void;
  /** Of the client's own: the application does not hear it. */
  readonly isOwn: boolean;
}

/** Listeners and readers of the statuses. A slow reader keeps the newest 256. What goes wrong unheard is printed once a kind. */
export class StatusFeed {
  #listeners: readonly Listener[] = [];
  readonly #printed = new Set<string>();
  last: Status | undefined;
  /** The attempt that failed last. */
  failed: Extract<Status, { type: 'connect-failed' }> | undefined;

  emit(status: Status): void {
    this.last = status;
    if (status.type === 'connect-failed') this.failed = status;
    for (const { hear } of this.#listeners) {
      try {
        hear(status);
      } catch (error) {
        // A listener's fault must neither stop the connection nor be swallowed.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    if (this.#listeners.every(({ isOwn }) => isOwn)) this.#print(status);
  }

  listen(hear: (status: Status) => void, isOwn = false): () => void {
    const added = { hear, isOwn };
    this.#listeners = [...this.#listeners, added];
    return () => {
      this.#listeners = this.#listeners.filter((each) => each !== added);
    };
  }

  #print(status: Status): void {
    const { type } = status;
    if (this.#printed.has(type) || !(type === 'unhandled' || 'error' in status)) return;
    this.#printed.add(type);
    console.error(`evenkeel: ${type} (see onStatus)`, status);
  }

  /** Begins with the newest status there is and ends after `closed`. */
  async *read(): AsyncGenerator<Status, void, undefined> {
    const buffer: Status[] = this.last === undefined ? [] : [this.last];
    let wake = () => {};
    const stop = this.listen((status) => {
      if (buffer.push(status) > limits.statusBuffer) buffer.shift();
      wake();
    });
    try {
      for (;;) {
        const status = buffer.shift();
        if (status === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        yield status;
        if (status.type === 'closed') return;
      }
    } finally {
      stop();
    }
  }
}
