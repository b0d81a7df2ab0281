import { checkName, shown } from '../check.js';
import { ClientError } from '../errors.js';
import type { PartedConnection } from '../seams/connection.js';
import type { AnyFrame, Part } from '../seams/part.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { dataOf } from '../transport/payload.js';

/**
 * What a service asks.
 * @example
 * const log = ({ method, id }: Asked) => console.log(method, id);
 * client.serve('order.confirm', ({ order }, asked) => {
 *   log(asked);
 *   return order < 9;
 * });
 */
export interface Asked {
  readonly method: string;
  /** The same for a repeat. */
  readonly id: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/**
 * What it returns, or resolves with, is the answer: JSON or bytes.
 * @example
 * const confirm: AskHandler<{ order: number }, boolean> = ({ order }) => order < 9;
 * client.serve('order.confirm', confirm);
 */
export type AskHandler<Data, Answer> = (data: Data, asked: Asked) => Answer | Promise<Answer>;

/**
 * Thrown by a handler of `serve`: whoever asks gets this code and this message. Whatever else a handler throws stays here: the service
 * gets `handler-error`, and the status tells the rest.
 * @example
 * client.serve('order.confirm', ({ order }) => {
 *   if (order > 9) throw new AnswerError('declined', 'not today');
 *   return true;
 * });
 */
export class AnswerError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'AnswerError';
    this.code = code;
  }
}

/** An answer that no edge has taken by then is of no use: services wait a minute at most. */
const answerMs = 60_000;

/** Methods that this client answers. What is asked comes as events do: once, in order, over moves; it keeps no event waiting. */
export class Serving implements Part {
  readonly #connection: PartedConnection;
  readonly #handlers = new Map<string, AskHandler<never, unknown>>();

  constructor(connection: PartedConnection) {
    this.#connection = connection;
  }

  /** @throws ClientError `bad-name`, `bad-option`, `already-served` */
  serve(method: string, handler: AskHandler<never, unknown>): () => void {
    checkName(method);
    if (typeof handler !== 'function')
      throw new ClientError('bad-option', `the handler must be a function, got ${shown(handler)}`);
    if (this.#handlers.has(method))
      throw new ClientError('already-served', `'${method}' is served already; end that first`);
    this.#handlers.set(method, handler);
    return () => {
      if (this.#handlers.get(method) === handler) this.#handlers.delete(method);
    };
  }

  received(socket: EdgeSocket, frame: AnyFrame): boolean | undefined {
    const { t, id } = frame;
    if (t !== 'ask' || typeof id !== 'string') return undefined;
    // A repeat is not taken once more: what was answered goes to the edge again by itself, until one has it.
    this.#connection.takeCounted(socket, frame as never, id, () => void this.#answer(id, frame));
    return true;
  }

  async #answer(id: string, frame: AnyFrame): Promise<void> {
    const method = String(frame.method);
    try {
      await this.#send(id, await this.#handle(method, id, frame));
    } catch (error) {
      const told = this.#told(error);
      if (!told) return;
      if (!(error instanceof AnswerError))
        this.#connection.statusFeed.emit({ type: 'handler-error', error, id, name: method });
      // Not taken: it is the asker's time that runs.
      await this.#send(id, null, told).catch(() => {});
    }
  }

  async #handle(method: string, id: string, frame: AnyFrame): Promise<unknown> {
    const handler = this.#handlers.get(method);
    if (!handler) throw new AnswerError('no-handler', `this client does not serve '${method}'`);
    const { headers, traceparent, tracestate } = frame as Partial<Asked>;
    const asked = {
      method,
      id,
      ...(headers && { headers }),
      ...(traceparent && { traceparent }),
      ...(tracestate && { tracestate }),
    };
    return await handler(dataOf(frame as object) as never, asked);
  }

  /** What whoever asks is told of a failure; undefined: the mesh has refused the answer, or nobody waits any more. */
  #told(error: unknown): { code: string; message: string } | undefined {
    if (error instanceof AnswerError) return { code: error.code, message: error.message };
    if (!(error instanceof ClientError))
      return { code: 'handler-error', message: "the client's handler failed" };
    const { code, message } = error;
    return ['too-large', 'bad-body', 'bad-data'].includes(code) ? { code, message } : undefined;
  }

  #send(id: string, data: unknown, error?: object): Promise<unknown> {
    // In the place of `topic` there is nothing.
    const more = { topic: undefined, error };
    return this.#connection.ask('answer', '', data ?? null, { timeoutMs: answerMs }, more, id);
  }
}
