import type {
  AnyPattern,
  AskHandler,
  Client,
  ClientEvent,
  ClientState,
  DataByPattern,
  DataOf,
  EventMap,
  EventsOf,
  Got,
  PartOf,
  ReplyOf,
  RequestsOf,
  Sent,
  ServedOf,
  StreamsOf,
  TopicMessage,
  TopicPresence,
  TopicsOf,
  TopicWishes,
  Unlisted,
} from '@evenkeel/client';
import { useEffect, useSyncExternalStore } from 'react';
import { useNewest, useProvided } from './provider.js';
import { useAnyServe } from './serve.js';
import { type Answer, useAnyStream } from './stream.js';
import { type Topic, type TopicHandlers, useAnyPresence, useAnyTopic } from './topic.js';

/**
 * The hooks, typed by a map: what events, topics and requests carry.
 * @example
 * const hooks: Hooks<Mesh> = createHooks<Mesh>();
 */
export interface Hooks<
  Map extends object = EventMap,
  Topics extends object = TopicsOf<Map>,
  Requests extends object = RequestsOf<Map>,
  Served extends object = ServedOf<Map>,
  Streams extends object = StreamsOf<Map>,
> {
  /** The client of the provider. */
  useClient(): Client<Map, Topics, Requests, Served, Streams>;
  /** `connecting`, `connected` or `closed`; a move happens inside `connected`. */
  useConnectionState(): ClientState;
  /**
   * Handles the events of this name as long as the component is mounted, each once and in order. An event for which no component is
   * mounted waits, and those behind it too, up to 30 s: handle what may come at any time high up in the tree.
   * @example useEvent('order.created', ({ data }) => setOrders((orders) => [...orders, data.number]));
   */
  useEvent<Name extends keyof EventsOf<Map> & string>(
    name: Name,
    handler: (event: ClientEvent<EventsOf<Map>[Name]>) => unknown,
  ): void;
  /**
   * Subscribes a topic as long as the component is mounted; without one, nothing. `wishes`: what is wanted beside later messages, such
   * as `{ last: 20 }` of the first component that hears its messages. A pattern, `room.*`, brings every topic that matches.
   * @example const room = useTopic('room.42', ({ data }) => add(data.text), { last: 20 });
   */
  useTopic<Name extends keyof Topics & string>(
    topic: Name | null | undefined,
    handlers?: TopicHandlers<Got<Topics[Name]>> | ((message: TopicMessage<Got<Topics[Name]>>) => unknown),
    wishes?: TopicWishes,
  ): Topic<Got<Topics[Name]>, Sent<Topics[Name]>>;
  useTopic<Pattern extends AnyPattern>(
    pattern: Pattern,
    handlers?:
      | TopicHandlers<DataByPattern<Topics, Pattern>>
      | ((message: TopicMessage<DataByPattern<Topics, Pattern>>) => unknown),
    wishes?: TopicWishes,
  ): Topic<DataByPattern<Topics, Pattern>>;
  useTopic<Data = unknown, Name extends string = string>(
    topic: Unlisted<Topics, Name> | null | undefined,
    handlers?: TopicHandlers<Data> | ((message: TopicMessage<Data>) => unknown),
    wishes?: TopicWishes,
  ): Topic<Data>;
  /**
   * Who is in a topic, kept up to date; undefined as long as that is not known.
   * @example const { count } = usePresence('room.42') ?? { count: 0 };
   */
  usePresence(topic: string | null | undefined): TopicPresence | undefined;
  /**
   * A question to a service that answers in parts.
   * @example const answer = useStream<string>('assistant.ask'); // answer.ask({ text }), answer.parts.join('')
   */
  useStream<Method extends keyof Streams & string>(
    method: Method,
  ): Answer<PartOf<Streams[Method]>, DataOf<Streams[Method]>>;
  useStream<Part = unknown, Method extends keyof Requests & string = keyof Requests & string>(
    method: Method,
  ): Answer<Part, DataOf<Requests[Method]>>;
  useStream<Part = unknown>(method: string): Answer<Part>;
  /**
   * Answers what services ask this user's clients by `method`, as long as the component is mounted; where several do, the one that was
   * mounted last. What no component serves is answered `no-handler` at once. Who throws `AnswerError` answers with its code.
   * @example useServe('order.confirm', async ({ order }) => (await confirmed(order)) ? 'yes' : 'no');
   * @throws ClientError `already-served` where `client.serve` serves it outside of components.
   */
  useServe<Name extends keyof Served & string>(
    method: Name,
    handler: AskHandler<DataOf<Served[Name]>, ReplyOf<Served[Name]>>,
  ): void;
  useServe<Data = unknown, Name extends string = string>(
    method: Unlisted<Served, Name>,
    handler: AskHandler<Data, unknown>,
  ): void;
}

/**
 * The hooks for a map of types, as `connect` takes it.
 * @example const { useEvent, useTopic } = createHooks<Mesh>();
 */
export function createHooks<
  Map extends object = EventMap,
  Topics extends object = TopicsOf<Map>,
  Requests extends object = RequestsOf<Map>,
  Served extends object = ServedOf<Map>,
  Streams extends object = StreamsOf<Map>,
>(): Hooks<Map, Topics, Requests, Served, Streams> {
  return hooks as unknown as Hooks<Map, Topics, Requests, Served, Streams>;
}

function useEvent(name: string, handler: (event: ClientEvent) => unknown): void {
  const client = useProvided();
  const newest = useNewest(handler);
  useEffect(() => client.on(name, (event: ClientEvent) => newest.current(event)), [client, name, newest]);
}

function useConnectionState(): ClientState {
  const client = useProvided();
  return useSyncExternalStore(
    (changed) => client.onState(changed),
    () => client.state,
    () => client.state,
  );
}

const hooks = {
  useClient: useProvided,
  useConnectionState,
  useEvent,
  useTopic: (
    topic: string | null | undefined,
    handlers?: TopicHandlers | ((message: TopicMessage) => unknown),
    wishes: TopicWishes = {},
  ): Topic => useAnyTopic(topic, handlers, wishes),
  usePresence: useAnyPresence,
  useStream: useAnyStream,
  useServe: useAnyServe,
};
