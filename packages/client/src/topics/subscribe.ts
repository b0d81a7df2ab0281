import type { Calls } from '../calls/calls.js';
import { type CallOptions, patience } from '../calls/patience.js';
import * as limits from '../limits.js';
import type { MessageHandler, Topics } from './topics.js';

/**
 * One subscriber of a topic: what one call of `subscribe` has made, also where several gave the same function.
 * @example
 * const prices: Subscription = await client.subscribe('prices.demo', ({ data }) => console.log(data.price));
 * await prices.unsubscribe();
 */
export interface Subscription {
  readonly topic: string;
  /**
   * No further message reaches the handler. Resolves when the edge has confirmed, if it was the topic's last subscriber, and at once
   * where there is nothing left to undo: a second time, without a connection, on a closed client. Never rejects.
   */
  unsubscribe(): Promise<void>;
}

/** The connection whose edge is asked. */
export interface TopicHost {
  readonly state: string;
  readonly topicTable: Topics;
  readonly calls: Calls;
  /** A socket has told an edge which topics are wanted. */
  readonly hasToldTopics: boolean;
  flushNow(): void;
}

/** Registers one subscriber. The edge is asked once a topic, however many there are; each waits as long as it will. */
export async function subscribe(
  host: TopicHost,
  topic: string,
  handler: MessageHandler,
  options: CallOptions,
): Promise<Subscription> {
  const { topicTable: topics, calls } = host;
  const { topicEntry: entry, leave } = topics.add(topic, handler);
  const ask = (kind: 'subscribe' | 'unsubscribe', signal?: AbortSignal): Promise<unknown> => {
    const answer = calls.open(kind, topic, undefined, { timeoutMs: Infinity, signal });
    host.flushNow();
    return answer;
  };
  const unsubscribe = async (): Promise<void> => {
    if (!leave()) return;
    entry.over.abort();
    if (!host.hasToldTopics) return;
    const done = ask('unsubscribe').catch(() => {});
    if (host.state === 'connected') await done;
  };
  try {
    entry.asked ??= ask('subscribe', entry.over.signal).then(
      () => {
        entry.isGranted = true;
      },
      (error: unknown) => {
        entry.asked = undefined;
        throw error;
      },
    );
    await within(entry.asked, options);
  } catch (error) {
    void unsubscribe();
    throw error;
  }
  return { topic, unsubscribe };
}

/** As the promise, unless the caller gives up before it. */
function within(
  answer: Promise<unknown>,
  { timeoutMs = limits.callMs, signal }: CallOptions,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = answer.then(resolve, reject);
    done.finally(patience('this subscribe', { timeoutMs, signal }, reject));
  });
}
