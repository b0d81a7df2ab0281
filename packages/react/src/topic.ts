import type {
  SendOptions,
  TopicGap,
  TopicLeft,
  TopicMessage,
  TopicPresence,
  TopicWishes,
} from '@evenkeel/client';
import { useCallback, useEffect, useRef, useState } from 'react';
import { Lingering } from './lingering.js';
import { type AnyClient, useNewest, useProvided } from './provider.js';

/**
 * What a component does with a topic: a function for its messages, or several.
 * @example
 * const handlers: TopicHandlers<{ text: string }> = { gap: ({ reason }) => console.log(reason) };
 * const room = useTopic('room.42', handlers);
 */
export interface TopicHandlers<Data = unknown> {
  /** Each message, once and in order. */
  readonly message?: ((message: TopicMessage<Data>) => unknown) | undefined;
  /** Messages may be missing before the next one. */
  readonly gap?: ((gap: TopicGap) => unknown) | undefined;
  /** The topic has ended, or was not granted: nothing more comes. */
  readonly left?: ((left: TopicLeft) => unknown) | undefined;
}

/**
 * A topic, seen by a component.
 * @example
 * const say = (room: Topic<{ text: string }>) => room.publish({ text: 'ahoy' });
 */
export interface Topic<Data = unknown, Given = Data> {
  /** `joined`: every later message is sure to come. `off`: no topic was given. */
  readonly state: 'off' | 'joining' | 'joined' | 'left';
  /** Why it was left. */
  readonly left?: TopicLeft;
  /** As `publish` of the client, to this topic. @throws ClientError */
  publish(data: Given, options?: SendOptions): Promise<void>;
}

interface State {
  readonly topic: string;
  readonly state: 'joined' | 'left';
  readonly left?: TopicLeft;
}

/** Subscribes as long as the component is mounted. What it returns changes with the state alone. */
export function useAnyTopic(
  topic: string | null | undefined,
  handlers: TopicHandlers | ((message: TopicMessage) => unknown) | undefined,
  wishes: TopicWishes,
): Topic {
  const client = useProvided();
  const newest = useNewest(typeof handlers === 'function' ? { message: handlers } : handlers);
  const [known, setKnown] = useState<State>();
  const said = JSON.stringify(wishes);
  useEffect(() => {
    if (topic == null) return undefined;
    let isOn = true;
    const { handle, stop } = Lingering.of(client).use(newest, topic, JSON.parse(said) as TopicWishes, {
      message: (message) => newest.current?.message?.(message),
      gap: (gap) => newest.current?.gap?.(gap),
      left: (left) => {
        if (isOn) setKnown({ topic, state: 'left', left });
        newest.current?.left?.(left);
      },
    });
    handle.ready().then(
      () =>
        isOn &&
        setKnown((now) => (now?.state === 'left' && now.topic === topic ? now : { topic, state: 'joined' })),
      // `left` says so.
      () => {},
    );
    return () => {
      isOn = false;
      stop();
      setKnown(undefined);
    };
  }, [client, topic, said, newest]);
  const publish = useCallback(
    (data: unknown, options?: SendOptions) =>
      topic == null ? Promise.reject(new Error('No topic was given.')) : client.publish(topic, data, options),
    [client, topic],
  );
  if (topic == null) return { state: 'off', publish };
  if (known?.topic !== topic) return { state: 'joining', publish };
  return { state: known.state, ...(known.left && { left: known.left }), publish };
}

/** Who is in a topic, kept up to date as long as the component is mounted. Undefined: not known yet, or no longer. */
export function useAnyPresence(topic: string | null | undefined): TopicPresence | undefined {
  const client = useProvided();
  const who = useRef(undefined);
  const [known, setKnown] = useState<{
    readonly client: AnyClient;
    readonly topic: string;
    readonly present: TopicPresence;
  }>();
  useEffect(() => {
    if (topic == null) return undefined;
    // What was under way may be told behind the end.
    let isOn = true;
    const { stop } = Lingering.of(client).use(
      who,
      topic,
      { presence: true },
      {
        presence: ({ count, users }) => {
          if (isOn) setKnown({ client, topic, present: { count, ...(users && { users }) } });
        },
        left: () => {
          if (isOn) setKnown(undefined);
        },
      },
    );
    return () => {
      isOn = false;
      stop();
      setKnown(undefined);
    };
  }, [client, topic]);
  return known?.topic === topic && known?.client === client ? known.present : undefined;
}
