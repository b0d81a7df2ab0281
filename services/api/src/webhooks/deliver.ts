/** What an endpoint has answered. */
export interface Answered {
  readonly status: number;
  /** What its JSON says; undefined where it is none. */
  readonly answer: unknown;
  /** Its JSON as it was written. */
  readonly json: string | undefined;
  /** It has said nothing. */
  readonly isEmpty: boolean;
}

/** What became of something that an endpoint was told. */
export type Delivered =
  | { readonly is: 'done'; readonly json: string | undefined; readonly isEmpty: boolean }
  /** It said no: asking again would change nothing. */
  | { readonly is: 'refused'; readonly status: number; readonly answer: unknown }
  | { readonly is: 'dead'; readonly tries: number; readonly why: string }
  /** The waiting was ended; it may be told again. */
  | { readonly is: 'stopped' };

export interface Delivery {
  post(): Promise<Answered>;
  /** Waits before each further try, ms; as many tries and one. */
  readonly delaysMs: readonly number[];
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  readonly signal: AbortSignal;
  onRetry(): void;
}

const isTransient = (status: number): boolean => status >= 500 || status === 408 || status === 429;

/** Tells an endpoint something until it has understood, it refuses, or the tries are used up. */
export async function deliver({ post, delaysMs, sleep, signal, onRetry }: Delivery): Promise<Delivered> {
  for (let tries = 1; ; tries += 1) {
    let why: string;
    try {
      const { status, answer, json, isEmpty } = await post();
      if (status >= 200 && status < 300) return { is: 'done', json, isEmpty };
      if (!isTransient(status)) return { is: 'refused', status, answer };
      why = `it answered ${status}`;
    } catch (error) {
      why = reasonOf(error);
    }
    const delayMs = delaysMs[tries - 1];
    if (delayMs === undefined) return { is: 'dead', tries, why };
    onRetry();
    try {
      await sleep(delayMs, signal);
    } catch {
      return { is: 'stopped' };
    }
  }
}

/** What `fetch` throws says little; its cause says why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
