import type { ClientError, ClientStream, SendOptions } from '@evenkeel/client';
import { useCallback, useEffect, useRef, useState } from 'react';
import { type AnyClient, useNewest, useProvided } from './provider.js';

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
  /**
   * Asks, in place of what was asked before: that is cancelled. In handlers of the page, not while rendering. Once the component has gone,
   * or has another method or client, what an earlier render gave asks nothing.
   */
  ask(question?: Question, options?: SendOptions): void;
  /** The service is told that nobody wants the rest. */
  cancel(): void;
}

type Seen = Pick<Answer, 'state' | 'parts' | 'value' | 'error'>;
const nothing: Seen = { state: 'idle', parts: [] };

/** Who is asked, and by what. */
interface Asked {
  readonly client: AnyClient;
  readonly method: string;
}
const isSame = (a: Asked | undefined, b: Asked): boolean => a?.client === b.client && a.method === b.method;

/**
 * Asks a service that answers in parts. A component that goes for good takes its question with it, and so does one that gets another
 * method or another client: it begins anew with nothing.
 */
export function useAnyStream(method: string): Answer {
  const client = useProvided();
  const newest = useNewest<Asked>({ client, method });
  const [known, setKnown] = useState<{ readonly of: Asked; readonly seen: Seen }>();
  const open = useRef<{ readonly of: Asked; readonly stream: ClientStream }>(undefined);
  const isMounted = useRef(false);
  const isGone = useRef(false);

  const cancel = useCallback(() => {
    const asked = open.current;
    if (!asked) return;
    open.current = undefined;
    void asked.stream.return();
    setKnown((now) => now && { ...now, seen: { ...now.seen, state: 'cancelled' } });
  }, []);

  const ask = useCallback(
    (question?: unknown, options?: SendOptions) => {
      const of = { client, method };
      // Of a component that has gone, or of a render before another method came: nobody would see the answer, nor cancel it.
      if (isGone.current || !isSame(newest.current, of)) return;
      cancel();
      const stream = client.stream(method, question, options);
      open.current = { of, stream };
      setKnown({ of, seen: { state: 'asking', parts: [] } });
      const isOpen = (): boolean => open.current?.stream === stream;
      const show = (change: (now: Seen) => Seen): void => {
        if (isOpen()) setKnown((now) => now && { of, seen: change(now.seen) });
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
        if (isOpen()) open.current = undefined;
      };
      void read();
    },
    [client, method, cancel, newest],
  );

  useEffect(() => {
    const of = { client, method };
    // A component below it may have asked anew already.
    if (open.current && !isSame(open.current.of, of)) cancel();
    setKnown((now) => (isSame(now?.of, of) ? now : undefined));
  }, [client, method, cancel]);

  useEffect(() => {
    isMounted.current = true;
    isGone.current = false;
    return () => {
      isMounted.current = false;
      // StrictMode mounts again at once.
      queueMicrotask(() => {
        if (isMounted.current) return;
        isGone.current = true;
        cancel();
      });
    };
  }, [cancel]);

  const seen = known && isSame(known.of, { client, method }) ? known.seen : nothing;
  return { ...seen, ask, cancel };
}
