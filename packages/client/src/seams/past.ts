import type { SendOptions } from '../calls/patience.js';
import type { TopicMessage } from '../topics/topics.js';

/**
 * What is asked of what a topic has kept: what came behind a position, or the last ones; else everything.
 * @example
 * const wanted: PastWanted = { last: 50 };
 * const { messages } = await client.topic('room.42').history(wanted);
 */
export interface PastWanted {
  readonly since?: string | undefined;
  readonly last?: number | undefined;
}
/**
 * What a topic has kept.
 * @example
 * const history: TopicHistory = await client.topic('room.42').history();
 * const newer = await client.topic('room.42').history({ since: history.position });
 */
export interface TopicHistory<Data = unknown> {
  /** Oldest first, each with `past`. */
  readonly messages: readonly TopicMessage<Data>[];
  /** The newest message that there was; with `since` the next question goes on from there. Undefined: nothing has been published. */
  readonly position?: string;
  /** So many of them are longer than an edge sends on, and are left out. */
  readonly omitted?: number;
}

/** What a topic needs to tell what was. */
export interface Past {
  read(topic: string, wanted: PastWanted, options: SendOptions): Promise<TopicHistory>;
}
