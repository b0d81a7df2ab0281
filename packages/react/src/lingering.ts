import type { TopicHandle, TopicNews, TopicWishes } from '@evenkeel/client';
import type { AnyClient } from './provider.js';

/** How long a topic stays subscribed after the last component that used it. */
const lingerMs = 1_000;
/** More messages than these are not kept: the topic is left at once. */
const maxKept = 256;

/** Functions for what is told of a topic. */
export type Heard = { readonly [Kind in keyof TopicNews]?: (news: TopicNews[Kind]) => unknown };

/** A topic that nobody uses at the moment. */
interface Kept {
  readonly handle: TopicHandle;
  /** To be told to whoever comes next. */
  news: ((heard: Heard) => unknown)[];
  /** Those who were told: StrictMode brings one component twice. */
  readonly told: Set<object>;
}

const ofClients = new WeakMap<AnyClient, Lingering>();

/**
 * What components use of a client's topics. StrictMode, a new key or another route takes a component away to mount it, or one like it,
 * right after: the topic stays subscribed meanwhile, and what comes of it is told to the next. So the edge is asked once, past messages
 * come once, and none is lost.
 */
export class Lingering {
  readonly #client: AnyClient;
  readonly #users = new Map<string, number>();
  readonly #kept = new Map<string, Kept>();

  constructor(client: AnyClient) {
    this.#client = client;
  }

  /** Of this client, for all components alike. */
  static of(client: AnyClient): Lingering {
    const known = ofClients.get(client) ?? new Lingering(client);
    ofClients.set(client, known);
    return known;
  }

  /** Returns the handle, and the way to stop. `who`: the component, the same however often it is mounted. */
  use(
    who: object,
    topic: string,
    wishes: TopicWishes,
    heard: Heard,
  ): { handle: TopicHandle; stop: () => void } {
    const kind = heard.presence ? 'presence' : 'message';
    const key = `${kind} ${topic}`;
    const handle = this.#client.topic(topic, wishes);
    if (heard.gap) handle.on('gap', heard.gap);
    if (heard.left) handle.on('left', heard.left);
    if (heard.presence) handle.on('presence', heard.presence);
    else handle.on('message', heard.message ?? (() => {}));
    this.#users.set(key, (this.#users.get(key) ?? 0) + 1);
    const kept = this.#kept.get(key);
    if (kept) this.#tell(who, kept, key, heard);
    let isUsed = true;
    const stop = (): void => {
      if (!isUsed) return;
      isUsed = false;
      const left = (this.#users.get(key) ?? 1) - 1;
      if (left > 0) this.#users.set(key, left);
      else {
        this.#users.delete(key);
        if (this.#client.state !== 'closed') this.#keep(key, topic, kind);
      }
      void handle.close();
    };
    return { handle, stop };
  }

  #tell(who: object, kept: Kept, key: string, heard: Heard): void {
    if (!kept.told.has(who)) for (const tell of kept.news) guarded(() => tell(heard));
    kept.told.add(who);
    // All that are mounted in one commit are told the same.
    queueMicrotask(() => {
      kept.news = [];
      kept.told.clear();
      if (this.#users.has(key) && this.#kept.get(key) === kept) this.#drop(key);
    });
  }

  #keep(key: string, topic: string, kind: 'message' | 'presence'): void {
    if (this.#kept.has(key)) return;
    const handle = this.#client.topic(topic);
    const kept: Kept = { handle, news: [], told: new Set() };
    this.#kept.set(key, kept);
    const isKept = (): boolean => this.#kept.get(key) === kept;
    const add = (tell: (heard: Heard) => unknown): void => {
      if (!isKept()) return;
      kept.news.push(tell);
      if (kept.news.length > maxKept) this.#drop(key);
    };
    handle.on('left', () => isKept() && this.#drop(key));
    // Who is there is told anew to whoever asks.
    if (kind === 'presence') handle.on('presence', () => {});
    else {
      handle.on('gap', (gap) => add((heard) => heard.gap?.(gap)));
      handle.on('message', (message) => add((heard) => heard.message?.(message)));
    }
    setTimeout(() => isKept() && this.#drop(key), lingerMs);
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    void kept?.handle.close();
  }
}

// What a handler throws must not take the component with it, nor be swallowed.
function guarded(tell: () => unknown): void {
  try {
    tell();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
