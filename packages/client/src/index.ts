/** Client SDK of Evenkeel for browsers and Node: one connection that lives on while the mesh moves it. */
import type { EventMap, NoMap } from './client.js';
import { Client } from './whole/client.js';
import type { ConnectOptions } from './whole/options.js';

export * from './core.js';
export type { TopicGap, TopicHandle, TopicLeft, TopicNews } from './more/topic.js';
export type { TopicWishes } from './seams/wishes.js';
export { Client } from './whole/client.js';
export type { ConnectOptions } from './whole/options.js';

/**
 * Connects, and stays connected until `close()`. Returns at once; register handlers before the next turn of the
 * event loop, so that no event finds none. `Events` maps event names to the types of their `data`, `Topics` those of topics,
 * `Requests` methods to `{ data, reply }`; interfaces do as well.
 * @throws ClientError for what can never work: `bad-option`, `bad-user-id`, `bad-name`, `topic-limit`, `no-websocket`.
 */
export const connect = <
  Events extends object = EventMap,
  Topics extends object = NoMap,
  Requests extends object = NoMap,
>(
  options: ConnectOptions,
): Client<Events, Topics, Requests> => new Client<Events, Topics, Requests>(options);
