import type { OkFrame, PresenceFrame } from '@evenkeel/protocol/wire';
import type { SendOptions } from '../calls/patience.js';
import { ClientError } from '../errors.js';
import { callEach, Handlers } from '../handlers.js';
import type { PartedConnection } from '../seams/connection.js';
import type { AnyFrame, HelloAdds, Part } from '../seams/part.js';
import type { PresenceNews, PresentUser, TopicPresence } from '../seams/present.js';
import type { Status } from '../status.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { dataOf } from '../transport/payload.js';

/** Refusals of a question after which it is asked again, about so long later. */
const forNow: ReadonlySet<string> = new Set(['rate-limited', 'broker-unavailable']);
const againMs = 1_000;

const present = (user: string, info: unknown): PresentUser =>
  info === undefined ? { user } : { user, info };

/** A topic of which somebody wants to be told who is there. */
interface Watched {
  readonly handlers: Handlers<PresenceNews>;
  /** Undefined: not known, or there are too many. */
  users: Map<string, PresentUser> | undefined;
  /** As they were told last. */
  told: Map<string, PresentUser>;
  /** The question that is open. What is told before its answer is in that. */
  asked: string | undefined;
}

/** Keeps, of the topics that somebody watches, who is there: asked after each `welcome` and each gap, told from then on. */
export class Presences implements Part {
  readonly #connection: PartedConnection;
  readonly #info: unknown;
  readonly #watched = new Map<string, Watched>();
  readonly #prefix = `${Math.random().toString(36).slice(2, 12)}-p`;
  #counter = 0;

  constructor(connection: PartedConnection, info: unknown) {
    this.#connection = connection;
    this.#info = info;
  }

  hello(adds: HelloAdds): void {
    if (this.#info !== undefined) adds.info = this.#info;
  }

  async ask(topic: string, options: SendOptions = {}): Promise<TopicPresence> {
    return (await this.#ask(topic, options)) as TopicPresence;
  }

  /** Tells `handler` who is there, at once and after each change, as long as the topic is subscribed. Returns the way to stop. */
  observe(topic: string, handler: (news: PresenceNews) => unknown): () => void {
    let watched = this.#watched.get(topic);
    if (!watched) {
      watched = { handlers: new Handlers(), users: undefined, told: new Map(), asked: undefined };
      this.#watched.set(topic, watched);
    } else if (watched.told.size > 0) {
      const users = [...watched.told.values()];
      const news = { topic, count: users.length, users, joined: users, left: [] };
      queueMicrotask(() => handler(news));
    }
    const leave = watched.handlers.enter({ handler });
    this.#connection.wish(topic, { presence: true });
    // Who has subscribed already, or is about to, says so once more: hello may be under way. The edge takes it as a change.
    if (this.#connection.topicTable.entriesOf.has(topic)) this.#begin(topic);
    return () => {
      leave();
      if (watched.handlers.all.length === 0) this.#watched.delete(topic);
    };
  }

  welcomed(): void {
    for (const topic of this.#watched.keys()) this.#look(topic);
  }

  received(socket: EdgeSocket, frame: AnyFrame): boolean | undefined {
    if (frame.t === 'presence') {
      // In a move the old edge may tell late what the new one's answer has overtaken.
      if (socket === this.#connection.activeSocket) this.#told(frame as unknown as PresenceFrame);
      return true;
    }
    if (frame.t !== 'ok') return undefined;
    // At once: what comes behind it goes on from it.
    for (const [topic, watched] of this.#watched)
      if (watched.asked === frame.re)
        this.#answered(topic, watched, dataOf(frame as unknown as OkFrame) as TopicPresence);
    return undefined;
  }

  status(status: Status): undefined {
    if (status.type === 'gap' && status.topic !== undefined) this.#look(status.topic);
    if (status.type === 'unsubscribed') this.#watched.delete(status.topic);
    if (status.type === 'closed') this.#watched.clear();
  }

  call(kind: string, name: string): undefined {
    // Answered in order: the edge has the subscription by then.
    if (kind === 'subscribe' && this.#connection.activeSocket) queueMicrotask(() => this.#look(name));
  }

  #begin(topic: string): void {
    const more = { presence: true, since: undefined, last: undefined };
    const options = { timeoutMs: Number.POSITIVE_INFINITY };
    this.#connection.ask('subscribe', topic, undefined, options, more).catch(() => {});
  }

  #ask(topic: string, options: SendOptions, id?: string): Promise<unknown> {
    return this.#connection.ask('presence', topic, undefined, options, undefined, id);
  }

  #look(topic: string): void {
    const watched = this.#watched.get(topic);
    if (!watched) return;
    const id = this.#prefix + (this.#counter++).toString(36);
    watched.asked = id;
    this.#ask(topic, { timeoutMs: Number.POSITIVE_INFINITY }, id).catch((error: unknown) => {
      if (watched.asked !== id || !(error instanceof ClientError) || error.code === 'closed') return;
      // What is told from now on goes on from nothing that is known: the next of it asks again.
      watched.asked = watched.users = undefined;
      if (forNow.has(error.code)) this.#lookLater(topic, watched);
      else this.#connection.statusFeed.emit({ type: 'error', code: error.code, message: error.message });
    });
  }

  /** Unless something else asks before. */
  #lookLater(topic: string, watched: Watched): void {
    setTimeout(
      () => {
        if (this.#watched.get(topic) === watched && !watched.users && !watched.asked) this.#look(topic);
      },
      againMs * (0.5 + this.#connection.random()),
    );
  }

  #answered(topic: string, watched: Watched, { count, users }: TopicPresence): void {
    watched.asked = undefined;
    // On how many sessions, and since when, is not told when it changes: it would not stay true.
    watched.users = users && new Map(users.map(({ user, info }) => [user, present(user, info)]));
    this.#tell(topic, watched, count);
  }

  #told({ topic, joined, left, count }: PresenceFrame): void {
    const watched = this.#watched.get(topic);
    if (!watched || watched.asked !== undefined) return;
    // There were too many to be named, and are not any more.
    if (joined && !watched.users) return this.#look(topic);
    if (!joined && !left) watched.users = undefined;
    for (const { user, info } of joined ?? []) {
      if (!watched.users?.has(user)) watched.users?.set(user, present(user, info));
    }
    for (const user of left ?? []) watched.users?.delete(user);
    this.#tell(topic, watched, watched.users?.size ?? count);
  }

  #tell(topic: string, watched: Watched, count: number): void {
    const { users, told } = watched;
    const now = users ?? new Map<string, PresentUser>();
    const joined = [...now.values()].filter(({ user }) => !told.has(user));
    const left = users ? [...told.keys()].filter((user) => !now.has(user)) : [];
    watched.told = new Map(now);
    const news = { topic, count, ...(users && { users: [...now.values()] }), joined, left };
    callEach(watched.handlers.all, news, rethrow);
  }
}

// A listener's fault must neither stop the connection nor be swallowed.
const rethrow = (error: unknown): void =>
  queueMicrotask(() => {
    throw error;
  });
