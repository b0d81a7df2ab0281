import { checkedAt, type MeshDefinition, type Place, type WrongData } from '@evenkeel/protocol/wire';
import { ClientError } from '../errors.js';
import type { ClientEvent } from '../events/event.js';
import type { Past, TopicHistory } from '../seams/past.js';
import type { StatusFeed } from '../status.js';
import type { TopicMessage } from '../topics/topics.js';
import { AnswerError, type AskHandler } from './serving.js';

type News = ClientEvent | TopicMessage;
type Handler = (news: never) => unknown;
/** Undefined: it is not as it is defined, and that was told. */
type Checked = News | undefined;

/** Data that is not as the mesh defines it. */
const wrongData = ({ message, issues }: WrongData): ClientError =>
  new ClientError('bad-data', message, { issues });

/**
 * Checks what comes, and what is about to be sent, by the definition of the mesh. Handlers get what the schemas make of it; what is wrong
 * is told once as a status and counts as handled. Without a definition everything is as it is.
 */
export class Checking {
  readonly #mesh: MeshDefinition | undefined;
  readonly #status: Pick<StatusFeed, 'emit'>;
  readonly #handing = new WeakMap<Handler, Handler>();
  /** Of what several handlers get. */
  readonly #checked = new WeakMap<News, { of: Checked | Promise<Checked> }>();

  constructor(mesh: MeshDefinition | undefined, status: Pick<StatusFeed, 'emit'>) {
    this.#mesh = mesh;
    this.#status = status;
  }

  /** The handler that gets events or messages that are as defined, in their order; the same for the same `handler`. */
  handing<Given extends Handler>(handler: Given): Given {
    if (this.#mesh === undefined || typeof handler !== 'function') return handler;
    const known = this.#handing.get(handler);
    if (known) return known as Given;
    const hand = (news: Checked): unknown => news && handler(news as never);
    // While a schema takes its time, what comes behind waits.
    let before: Promise<unknown> | undefined;
    const made = (news: News): unknown => {
      const checked = this.#once(news);
      if (!before && !(checked instanceof Promise)) return hand(checked);
      const turn = Promise.all([checked, before]);
      before = turn;
      return turn.then(([found]) => {
        if (before === turn) before = undefined;
        return hand(found);
      });
    };
    this.#handing.set(handler, made as Handler);
    return made as Handler as Given;
  }

  /** What is sent is as defined. Undefined: at once. Rejects with {@link ClientError} `bad-data`. */
  given(place: Place, value: unknown): Promise<void> | undefined {
    try {
      const checked = checkedAt(this.#mesh, place, value, wrongData);
      return checked instanceof Promise ? checked.then(() => {}) : undefined;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** What has been answered. Rejects with {@link ClientError} `bad-data`. */
  async answered(place: Place, value: unknown): Promise<unknown> {
    return await checkedAt(this.#mesh, place, value, wrongData);
  }

  /** The handler that gets questions which are as defined, and whose answers have to be; who asks otherwise is told `bad-data`. */
  asked(name: string, handler: AskHandler<never, unknown>): AskHandler<never, unknown> {
    if (this.#mesh === undefined || typeof handler !== 'function') return handler;
    return async (data, asked) => {
      const wrong = (what: WrongData): Error => {
        const error = wrongData(what);
        this.#status.emit({ type: 'bad-data', kind: 'question', error, id: asked.id, name });
        return new AnswerError('bad-data', what.message);
      };
      const given = await checkedAt(this.#mesh, { kind: 'served', name, part: 'data' }, data, wrong);
      const answer = await handler(given as never, asked);
      await this.given({ kind: 'served', name, part: 'reply' }, answer);
      return answer;
    };
  }

  /** What a topic has kept, without what is not as defined. */
  past(past: Past): Past {
    if (this.#mesh === undefined) return past;
    return {
      read: async (...wanted): Promise<TopicHistory> => {
        const history = await past.read(...wanted);
        const messages = await Promise.all(history.messages.map((message) => this.#once(message)));
        return { ...history, messages: messages.filter((each): each is TopicMessage => each !== undefined) };
      },
    };
  }

  #once(news: News): Checked | Promise<Checked> {
    const known = this.#checked.get(news);
    if (known) return known.of;
    const of = this.#check(news);
    this.#checked.set(news, { of });
    return of;
  }

  #check(news: News): Checked | Promise<Checked> {
    const isEvent = 'name' in news;
    const name = isEvent ? news.name : news.topic;
    const told = (error: unknown): undefined => {
      const told = error instanceof ClientError ? error : new ClientError('bad-data', String(error), error);
      const kind = isEvent ? 'event' : 'message';
      this.#status.emit({ type: 'bad-data', kind, error: told, id: news.id, name });
    };
    // In a table of newest values it says that there is none.
    if (!isEvent && news.key !== undefined && news.data === null) return news;
    try {
      const kind = isEvent ? 'events' : 'topics';
      const checked = checkedAt(this.#mesh, { kind, name }, news.data, wrongData);
      const withData = (data: unknown): News => (data === news.data ? news : { ...news, data });
      return checked instanceof Promise ? checked.then(withData).catch(told) : withData(checked);
    } catch (error) {
      return told(error);
    }
  }
}
