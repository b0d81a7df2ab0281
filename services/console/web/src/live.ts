import { useEffect, useState } from 'preact/hooks';
import { ApiError, get } from './api.js';
import { Series } from './series.js';
import type { Me, Status, View } from './types.js';

export type Line = 'sessions' | 'events' | 'p99' | 'gaps';

/** What the page knows just now. */
export interface Live {
  readonly me?: Me;
  readonly status?: Status;
  /** From when that is, by this page's own clock (`performance.now()`). */
  readonly statusMs?: number;
  /** Why there is nothing newer: the broker or the balancer is away, or the console itself is. */
  readonly problem?: string | undefined;
  readonly isSignedOut: boolean;
  readonly lines: Series<Line>;
}

/** Before the stream is opened again. */
const retryMs = 2_000;

/** The page, as far as it tells whether it is shown. */
export type Shown = Pick<EventTarget, 'addEventListener' | 'removeEventListener'> & {
  readonly hidden: boolean;
};

/**
 * Follows the console's stream while the page is open and shown, and says what the page knows. A page in the background leaves its
 * connection to others: over HTTP/1.1 browsers have six to one host.
 */
export class Feed {
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #live: Live = { isSignedOut: false, lines: new Series() };
  /** What is awaited from an earlier one does not count. */
  #turn = 0;
  readonly #onChange: (live: Live) => void;
  readonly #page: Shown;

  constructor(onChange: (live: Live) => void, page: Shown = document) {
    this.#onChange = onChange;
    this.#page = page;
  }

  /** Asks who this is, then follows; also after a login. */
  async open(): Promise<void> {
    this.#page.addEventListener('visibilitychange', this.#onVisibility);
    await this.#begin();
  }

  close(): void {
    this.#page.removeEventListener('visibilitychange', this.#onVisibility);
    this.#rest();
  }

  readonly #onVisibility = (): void => {
    if (this.#page.hidden) this.#rest();
    else if (!this.#live.isSignedOut) void this.#begin();
  };

  async #begin(): Promise<void> {
    this.#rest();
    if (this.#page.hidden) return;
    const turn = this.#turn;
    try {
      const me = await get<Me>('/api/me');
      if (turn !== this.#turn) return;
      this.#set({ me, isSignedOut: false });
    } catch (error) {
      if (turn !== this.#turn) return;
      if (error instanceof ApiError && error.status === 401) return this.#set({ isSignedOut: true });
      this.#set({ problem: messageOf(error) });
      this.#later();
      return;
    }
    const source = new EventSource('/api/stream');
    this.#source = source;
    source.onmessage = ({ data }) => this.#take(JSON.parse(String(data)) as View);
    source.onerror = () => {
      this.#set({ problem: 'The console does not answer.' });
      // The browser opens it again by itself, unless it was refused: then somebody has been logged out.
      if (source.readyState === EventSource.CLOSED) this.#later();
    };
  }

  #rest(): void {
    this.#turn += 1;
    this.#source?.close();
    this.#source = undefined;
    clearTimeout(this.#timer);
  }

  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#begin(), retryMs);
  }

  #take({ me, status, ageMs = 0, broker, error }: View): void {
    const problem = broker.isConnected ? error?.message : awayText(broker.why);
    if (status === undefined) return this.#set({ me, problem });
    this.#draw(status);
    this.#set({ me, status, statusMs: performance.now() - ageMs, problem });
  }

  #draw({ totals, nodes }: Status): void {
    this.#live.lines.add(Date.now(), {
      sessions: totals?.sessions ?? nodes.reduce((sum, { sessions }) => sum + sessions, 0),
      events: totals?.eventsPerSecond,
      p99: totals?.publishToSocketP99Ms,
      gaps: totals?.gapsLastHour,
    });
  }

  #set(change: Partial<Live>): void {
    this.#live = { ...this.#live, ...change };
    this.#onChange(this.#live);
  }
}

/** The reason names RabbitMQ by itself where it is one of connecting. */
function awayText(why: string | undefined): string {
  const reason = why?.replace(/[.]$/, '');
  if (reason === undefined) return 'RabbitMQ is away.';
  return reason.startsWith('RabbitMQ') ? `${reason}.` : `RabbitMQ is away: ${reason}.`;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What is asked once, and again whenever `path` changes; with `everyMs` also as time goes by. */
export function useAnswer<T>(path: string | undefined, everyMs?: number) {
  const [state, set] = useState<{ path?: string; answer?: T; error?: string }>({});
  const [round, ask] = useState(0);
  useEffect(() => {
    if (path === undefined) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      try {
        const answer = await get<T>(path, abort.signal);
        set({ path, answer });
      } catch (error) {
        if (abort.signal.aborted) return;
        // What was known stays: it says when it is from.
        set((before) => ({
          ...(before.path === path ? before : {}),
          path,
          error: messageOf(error),
        }));
      }
      if (everyMs !== undefined && !abort.signal.aborted) timer = setTimeout(look, everyMs);
    };
    void look();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [path, everyMs, round]);
  const { answer, error } = state.path === path ? state : { answer: undefined, error: undefined };
  return { answer, error, again: () => ask((n) => n + 1) };
}
