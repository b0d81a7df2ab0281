import type { ClientError, ClientStream, SendOptions } from '@evenkeel/client';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useProvided } from './provider.js';

/**
 * How far an answer is. `cancelled`: by `cancel`, or since the component went.
 * @example
 * const isOver = (state: AnswerState) => state === 'done' || state === 'failed';
 */
export type AnswerState = 'idle' | 'asking' | 'done' | 'failed' | 'cancelled';

/**
 * The answer to the newest question of a component.
 * @example
 * const shown = ({ state, parts }: Answer<string>) => (state === 'asking' ? parts.join('') : '');
 */
export interface Answer<Part = unknown, Question = unknown> {
  readonly state: AnswerState;
  /** What has come so far, each part once and in order. */
  readonly parts: readonly Part[];
  /** What the service has said last, when `done`. */
  readonly value?: unknown;
  /** Why it has `failed`. */
  readonly error?: ClientError;
  /** Asks, in place of what was asked before: that is cancelled. In handlers of the page, not while rendering. */
  ask(question?: Question, options?: SendOptions): void;
  /** The service is told that nobody wants the rest. */
  cancel(): void;
}

type Seen = Pick<Answer, 'state' | 'parts' | 'value' | 'error'>;
const nothing: Seen = { state: 'idle', parts: [] };

/** Asks a service that answers in parts. A component that goes for good takes its question with it. */
export function useAnyStream(method: string): Answer {
  const client = useProvided();
  const [seen, setSeen] = useState(nothing);
  const open = useRef<ClientStream>(undefined);
  const isMounted = useRef(false);

  const cancel = useCallback(() => {
    const stream = open.current;
    if (!stream) return;
    open.current = undefined;
    void stream.return();
    setSeen((now) => ({ ...now, state: 'cancelled' }));
  }, []);

  const ask = useCallback(
    (question?: unknown, options?: SendOptions) => {
      cancel();
      const stream = client.stream(method, question, options);
      open.current = stream;
      setSeen({ state: 'asking', parts: [] });
      const show = (change: (now: Seen) => Seen): void => {
        if (open.current === stream) setSeen(change);
      };
      const read = async (): Promise<void> => {
        try {
          for (;;) {
            const { done, value } = await stream.next();
            if (!done) {
              show((now) => ({ ...now, parts: [...now.parts, value] }));
              continue;
            }
            show((now) => ({ ...now, state: 'done', value }));
            break;
          }
        } catch (error) {
          show((now) => ({ ...now, state: 'failed', error: error as ClientError }));
        }
        if (open.current === stream) open.current = undefined;
      };
      void read();
    },
    [client, method, cancel],
  );

  useEffect(() => {
    isMounted.current = true;
    return () => {
      isMounted.current = false;
      // StrictMode mounts again at once.
      queueMicrotask(() => !isMounted.current && cancel());
    };
  }, [cancel]);

  return { ...seen, ask, cancel };
}
