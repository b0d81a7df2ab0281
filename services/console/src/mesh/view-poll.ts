import { sleep } from '@evenkeel/pace';
import type { StatusAnswer } from 'evenkeel';
import { OperatorError } from 'evenkeel';
import type { MeshView } from '../api.js';

export interface ViewPollOptions {
  /** Asks the leading balancer. @throws OperatorError */
  readonly ask: () => Promise<StatusAnswer>;
  /** Whether RabbitMQ is reached. */
  readonly readiness: () => true | string;
  readonly everyMs: number;
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** The first screen for all who watch: one question in flight at most, and none while nobody watches. */
export class ViewPoll {
  readonly #options: ViewPollOptions;
  readonly #watchers = new Set<(view: string) => void>();
  #status: StatusAnswer | undefined;
  #statusAtMs = Number.NEGATIVE_INFINITY;
  #error: MeshView['error'];
  #hasNews = false;
  #asking: Promise<void> | undefined;
  #round: AbortController | undefined;

  constructor(options: ViewPollOptions) {
    this.#options = options;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /**
   * Calls `fn` with each view, as JSON, every `everyMs`, until the returned function is called; with the last one at once where
   * others watch already. The first view has the last status, however old.
   */
  watch(fn: (view: string) => void): () => void {
    this.#watchers.add(fn);
    if (this.#round === undefined) {
      this.#round = new AbortController();
      void this.#run(this.#round.signal);
    } else fn(JSON.stringify(this.#view(true)));
    return () => {
      this.#watchers.delete(fn);
      if (this.#watchers.size > 0) return;
      this.#round?.abort();
      this.#round = undefined;
    };
  }

  /** The view, asked for anew where it is older than `everyMs`. */
  async fresh(): Promise<MeshView> {
    const { now, everyMs } = this.#options;
    if (now() - this.#statusAtMs > everyMs) await this.#refresh();
    return this.#view(true);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { everyMs, now } = this.#options;
    // Whoever begins to watch knows nothing yet.
    this.#hasNews = true;
    while (!signal.aborted) {
      const begunAtMs = now();
      // A balancer that does not answer is no reason to keep silent.
      await Promise.race([this.#refresh(), sleep(everyMs)]);
      if (signal.aborted) return;
      const text = JSON.stringify(this.#view(this.#hasNews));
      this.#hasNews = false;
      for (const watcher of this.#watchers) watcher(text);
      const restMs = Math.max(0, everyMs - (now() - begunAtMs));
      await sleep(restMs, signal).catch(() => undefined);
    }
  }

  #refresh(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<void> {
    const { ask, now } = this.#options;
    try {
      this.#status = await ask();
      this.#statusAtMs = now();
      this.#error = undefined;
      this.#hasNews = true;
    } catch (error) {
      const code = error instanceof OperatorError ? error.code : 'internal';
      this.#error = { code, message: error instanceof Error ? error.message : String(error) };
    }
  }

  #view(withStatus: boolean): MeshView {
    const { readiness, now, clock } = this.#options;
    return {
      at: clock(),
      ...(withStatus && this.#status !== undefined
        ? { status: this.#status, ageMs: Math.round(now() - this.#statusAtMs) }
        : {}),
      broker: connectionView(readiness()),
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }
}

/** How the console is connected to RabbitMQ, as the page reads it. */
export const connectionView = (readiness: true | string): MeshView['broker'] =>
  readiness === true ? { isConnected: true } : { isConnected: false, why: readiness };
