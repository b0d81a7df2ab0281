/** React hooks for an Evenkeel mesh: events, topics, who is there, answers in parts, and answers to services. */
import { createHooks } from './hooks.js';

export { createHooks, type Hooks } from './hooks.js';
export { EvenkeelProvider, type EvenkeelProviderProps } from './provider.js';
export type { Answer, AnswerState } from './stream.js';
export type { Topic, TopicHandlers } from './topic.js';

const untyped: ReturnType<typeof createHooks> = createHooks();

/** As of {@link createHooks}, without a map of types. */
export const { useClient, useConnectionState, useEvent, useServe, useTopic, usePresence, useStream } =
  untyped;
