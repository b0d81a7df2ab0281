import { checkedAt, type MeshDefinition, type Place, type WrongData } from '@evenkeel/protocol/wire';
import { AskError, PublisherError, ServiceError } from './errors.js';
import { JsonText } from './json-text.js';
import type { TopicOptions } from './message.js';
import type { Served } from './queues.js';
import { isStream } from './stream.js';
import type { InboundHandler, InboundMessage, SessionAnswer } from './types.js';

/** What a client has sent is not as the mesh defines it: who asked is told, and handling it again would not help. */
export class WrongInbound extends ServiceError {}

/** What is checked of JSON that is written already is its value. */
const plain = (value: unknown): unknown => (value instanceof JsonText ? value.toJSON() : value);

/** Checks what is published, asked and handled by the definition of the mesh. Without a definition everything is as it is. */
export class Checking {
  readonly #mesh: MeshDefinition | undefined;

  constructor(mesh: MeshDefinition | undefined) {
    this.#mesh = mesh;
  }

  /** What is sent is as defined. Undefined: at once. @throws PublisherError `bad-data` */
  given(place: Place, value: unknown): Promise<unknown> | undefined {
    const wrong = ({ message, issues }: WrongData) => new PublisherError('bad-data', message, { issues });
    const checked = checkedAt(this.#mesh, place, plain(value), wrong);
    if (!(checked instanceof Promise)) return undefined;
    // Whoever finds another fault meanwhile does not wait for it.
    checked.catch(() => {});
    return checked;
  }

  /** An empty body with a key deletes what is kept under that. @throws PublisherError `bad-data` */
  topic(name: string, value: unknown, { key }: TopicOptions): Promise<unknown> | undefined {
    const isDeleting =
      key !== undefined && (value === '' || (value instanceof Uint8Array && value.length === 0));
    return isDeleting ? undefined : this.given({ kind: 'topics', name }, value);
  }

  /** What a session has answered. @throws AskError `bad-data` */
  async answer(name: string, value: unknown, session?: string): Promise<unknown> {
    const place = { kind: 'served', name, part: 'reply' } as const;
    return await checkedAt(
      this.#mesh,
      place,
      value,
      ({ message }) => new AskError('bad-data', message, session),
    );
  }

  async answers(name: string, all: readonly SessionAnswer[]): Promise<SessionAnswer[]> {
    return await Promise.all(
      all.map(async (each) => {
        if (each.error !== undefined) return each;
        const { session } = each;
        try {
          return { session, data: await this.answer(name, each.data, session) };
        } catch (error) {
          return { session, error: error as AskError };
        }
      }),
    );
  }

  /** The handler that gets what is as defined, and whose answers have to be. */
  handling({ kind }: Pick<Served, 'kind'>, handler: InboundHandler): InboundHandler {
    if (this.#mesh === undefined) return handler;
    const wrong = ({ message }: WrongData) => new WrongInbound('bad-data', message);
    if (kind === 'publish')
      return async (message) => {
        const data = await checkedAt(
          this.#mesh,
          { kind: 'topics', name: message.method },
          message.data,
          wrong,
        );
        return await handler({ ...message, data });
      };
    return async (message) => {
      const of = (part: 'data' | 'part' | 'reply'): Place => ({
        kind: 'requests',
        name: message.method,
        part,
      });
      const data = await checkedAt(this.#mesh, of('data'), message.data, wrong);
      const answer = await handler({ ...message, data } as InboundMessage);
      // Its own fault: it is logged, and the client is told that the service failed.
      const mended = ({ message: what }: WrongData) => new Error(what);
      if (isStream(answer)) return this.#parts(answer, of, mended);
      await checkedAt(this.#mesh, of('reply'), plain(answer), mended);
      return answer;
    };
  }

  async *#parts(
    answer: AsyncIterable<unknown>,
    of: (part: 'part' | 'reply') => Place,
    wrong: (what: WrongData) => Error,
  ): AsyncGenerator<unknown, unknown> {
    const iterator = answer[Symbol.asyncIterator]();
    let isOver = false;
    try {
      for (;;) {
        const { done, value } = await iterator.next();
        isOver = done === true;
        // What ends without a word has nothing to be checked.
        if (!isOver || value !== undefined)
          await checkedAt(this.#mesh, of(isOver ? 'reply' : 'part'), plain(value), wrong);
        if (isOver) return value;
        yield value;
      }
    } finally {
      if (!isOver) await iterator.return?.();
    }
  }
}
