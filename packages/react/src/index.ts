/** React hooks for an Evenkeel mesh: events, topics, who is there, answers in parts, and answers to services. */
import { createHooks, type Hooks } from './hooks.js';

export { createHooks, type Hooks } from './hooks.js';
export { EvenkeelProvider, type EvenkeelProviderProps } from './provider.js';
export type { Answer, AnswerState } from './stream.js';
export type { Topic, TopicHandlers } from './topic.js';

const untyped: Hooks = createHooks();

/**
 * The client of the provider. As of {@link createHooks}, without a map of types.
 * @example
 * const client = useClient();
 */
export const useClient: Hooks['useClient'] = untyped.useClient;
/**
 * `connecting`, `connected` or `closed`. As of {@link createHooks}.
 * @example
 * const isAway = useConnectionState() !== 'connected';
 */
export const useConnectionState: Hooks['useConnectionState'] = untyped.useConnectionState;
/**
 * Handles events as long as the component is mounted. As of {@link createHooks}, without a map of types.
 * @example
 * useEvent('order.created', ({ data }) => console.log(data));
 */
export const useEvent: Hooks['useEvent'] = untyped.useEvent;
/**
 * Answers what services ask. As of {@link createHooks}, without a map of types.
 * @example
 * useServe('order.confirm', ({ order }: { order: number }) => order < 9);
 */
export const useServe: Hooks['useServe'] = untyped.useServe;
/**
 * Subscribes a topic. As of {@link createHooks}, without a map of types.
 * @example
 * const room = useTopic<{ text: string }>('room.42', ({ data }) => console.log(data.text), { last: 20 });
 */
export const useTopic: Hooks['useTopic'] = untyped.useTopic;
/**
 * Who is in a topic. As of {@link createHooks}.
 * @example
 * const { count } = usePresence('room.42') ?? { count: 0 };
 */
export const usePresence: Hooks['usePresence'] = untyped.usePresence;
/**
 * A question that is answered in parts. As of {@link createHooks}, without a map of types.
 * @example
 * const answer = useStream<string>('assistant.ask');
 */
export const useStream: Hooks['useStream'] = untyped.useStream;
