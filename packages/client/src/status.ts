import type { GapReason } from '@evenkeel/protocol/wire';
import type { ClientError } from './errors.js';
import type { ClientEvent } from './events/event.js';
import { callEach, Handlers, type Handling } from './handlers.js';
import * as limits from './limits.js';

/**
 * What a client tells about itself, told apart by `type`.
 * @example
 * const show = (status: Status) => console.log(status.type);
 * client.onStatus(show);
 */
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
      node?: string | undefined;
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
  /**
   * The token expires soon, and no new one could be had or none was taken; it is tried again after `retryInMs`, until the connection ends
   * with its token. `code`: `get-token-failed`, or what the edge answered, such as `bad-credentials`. `cause`: what was thrown.
   */
  | { type: 'refresh-failed'; code: string; reason: string; retryInMs: number; cause: unknown }
  /**
   * A topic has ended: `reason` is `revoked` (a refreshed token grants it no longer, or the rules were changed), `service` (the
   * application allows it no longer), `expired` (it had allowed it for a time), or the code with which an edge refused it when the client
   * came back, such as `forbidden`. Its subscribers hear nothing more; it does not come back unless it is subscribed again.
   */
  | { type: 'unsubscribed'; topic: string; reason: string }
  /** Events (or messages of `topic`) may be missing before the next one. */
  | { type: 'gap'; topic?: string; reason: GapReason | (string & {}) }
  /**
   * An event came under the id of an earlier one and was not handed on: its publisher has sent it twice, or has given two
   * events one `message_id`. `count`: how often so far; told for 1, 2, 4, 8, …
   */
  | { type: 'duplicate-id'; id: string; name: string; count: number }
  /** A handler threw or rejected; the event counts as handled. */
  | { type: 'handler-error'; error: unknown; id: string; name: string }
  /**
   * What came is not as `mesh` of the options defines it, and was not handed on; it counts as handled. `kind`: an event, a message of the
   * topic `name`, or a question of a service to the method `name`. `error`: a ClientError `bad-data` that names what is wrong.
   */
  | { type: 'bad-data'; kind: 'event' | 'message' | 'question'; error: ClientError; id: string; name: string }
  /** An event had no handler, and got none within 30 s; it counts as handled. */
  | { type: 'unhandled'; id: string; name: string }
  /** A handler did not settle in time; the event counts as handled. */
  | { type: 'handler-timeout'; event: ClientEvent }
  /** An edge reported an error that belongs to no request. */
  | { type: 'error'; code: string; message: string }
  /** The end; `error` when it was not asked for by `close()`. */
  | { type: 'closed'; error?: ClientError };

export type ConnectFailed = Extract<Status, { type: 'connect-failed' }>;

interface Listener extends Handling<Status> {
  /** Of the application: not of the client's own, which handle nothing that goes wrong. */
  readonly isApps: boolean | undefined;
}

/** Listeners and readers of the statuses. A slow reader keeps the newest 256. What goes wrong unheard is printed once a kind. */
export class StatusFeed {
  readonly #listeners = new Handlers<Status, Listener>();
  readonly #printed = new Set<string>();
  last: Status | undefined;
  /** The attempt that failed last. */
  failed: ConnectFailed | undefined;

  emit(status: Status): void {
    const { type } = status;
    this.last = status;
    if (type === 'connect-failed') this.failed = status;
    const { all } = this.#listeners;
    // A listener's fault must neither stop the connection nor be swallowed.
    callEach(all, status, (error) =>
      queueMicrotask(() => {
        throw error;
      }),
    );
    if (all.some(({ isApps }) => isApps) || this.#printed.has(type)) return;
    // What has the name of something was not handled as it should be.
    if (!('name' in status || 'error' in status)) return;
    this.#printed.add(type);
    console.error(`evenkeel: ${type} (see onStatus)`, status);
  }

  listen(handler: (status: Status) => void, isApps?: boolean): () => void {
    return this.#listeners.enter({ handler, isApps });
  }

  /** Begins with the newest status there is and ends after `closed`. */
  async *read(): AsyncGenerator<Status, void, undefined> {
    const buffer: Status[] = this.last === undefined ? [] : [this.last];
    let wake = () => {};
    const stop = this.listen((status) => {
      if (buffer.push(status) > limits.statusBuffer) buffer.shift();
      wake();
    }, true);
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
