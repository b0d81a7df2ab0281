/** Client SDK of Evenkeel for browsers and Node: one connection that lives on while the mesh moves it. */
import type {
  MeshDefinition,
  MeshOf,
  RequestsOf,
  ServedOf,
  StreamsOf,
  TopicsOf,
} from '@evenkeel/protocol/wire';
import type { EventMap } from './client.js';
import { Client } from './whole/client.js';
import type { ConnectOptions } from './whole/options.js';

export type {
  Carried,
  CloudEvent,
  EventsOf,
  Got,
  MeshDefinition,
  MeshMap,
  MeshOf,
  MethodDefinition,
  RequestsOf,
  SchemaIssue,
  SchemaResult,
  Sent,
  ServedOf,
  ServiceMeshOf,
  StandardSchema,
  StreamDefinition,
  StreamsOf,
  TopicsOf,
  Unlisted,
} from '@evenkeel/protocol/wire';
export { cloudEventOf, defineMesh, fromTopicWord, NameError, topicWord } from '@evenkeel/protocol/wire';
export * from './core.js';
export type { OfflineOptions } from './more/offline.js';
export { AnswerError, type Asked, type AskHandler } from './more/serving.js';
export type { Transport } from './more/sse/fallback.js';
export type { ClientStream } from './more/streams.js';
export { TabClient, type TabSendOptions } from './more/tabs/tab.js';
export type { TopicGap, TopicHandle, TopicLeft, TopicNews } from './more/topic.js';
export type { PastWanted, TopicHistory } from './seams/past.js';
export type { PresenceNews, PresentUser, TopicPresence } from './seams/present.js';
export type { TopicWishes } from './seams/wishes.js';
export { connectTabs, serveTabs, type TabsOptions } from './tabs.js';
export { Client, type PartOf } from './whole/client.js';
export type { ConnectOptions } from './whole/options.js';
export type { AnyPattern, DataByPattern } from './whole/types.js';

/**
 * Connects, and stays connected until `close()`. Returns at once; register handlers before the next turn of the
 * event loop, so that no event finds none. `mesh`, of {@link defineMesh}, says what the mesh
 * carries. Or `Map` does, by types alone: `{ events, topics, requests, streams, served }`, with names mapped to the types of their `data` and
 * methods to `{ data, reply }`; or it is the map of events, and those of topics and requests follow it.
 * Interfaces do as well.
 * @example
 * interface Mesh {
 *   events: { 'order.created': { number: number } };
 *   topics: { [room: `room.${string}`]: { text: string } };
 *   requests: { 'shop.price': { data: { item: string }; reply: number } };
 * }
 * const client = connect<Mesh>({ gateway: 'http://127.0.0.1:8080', user: 'alice' });
 * const checked = connect({ gateway: 'http://127.0.0.1:8080', user: 'alice', mesh });   // of defineMesh
 * @throws ClientError for what can never work: `bad-option`, `bad-user-id`, `bad-name`, `topic-limit`, `no-websocket`.
 */
export function connect<const Definition extends object>(
  options: ConnectOptions & { mesh: Definition & MeshDefinition },
): Client<MeshOf<Definition>>;
export function connect<
  Map extends object = EventMap,
  Topics extends object = TopicsOf<Map>,
  Requests extends object = RequestsOf<Map>,
  Served extends object = ServedOf<Map>,
  Streams extends object = StreamsOf<Map>,
>(options: ConnectOptions): Client<Map, Topics, Requests, Served, Streams>;
export function connect(options: ConnectOptions): unknown {
  return new Client(options);
}
