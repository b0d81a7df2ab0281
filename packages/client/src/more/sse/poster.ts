import { sleep } from '@evenkeel/pace';
import * as limits from '../../limits.js';

/** What an edge answers to a post: taken, to be sent again, or no use any more. */
type Outcome = 'taken' | 'again' | 'over';

export interface PosterOptions {
  readonly url: string;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
  /** Tries of one post, with a wait between them, ms. */
  readonly tries?: number;
  readonly waitMs?: number;
  /** Posts are of no use any more. */
  onOver(reason: string): void;
}

const encoder = new TextEncoder();
const bytesOf = (text: string): number => encoder.encode(text).length;

/** Posts frames in order and each once: one post at a time, with all that has gathered meanwhile. */
export class Poster {
  /** Posts that were begun. */
  count = 0;
  /** What gathers in one: no more than one frame may have. An edge takes twice that, since a `hello` may be so long. */
  maxBytes: number = limits.maxFrameBytes;
  readonly #options: PosterOptions;
  readonly #frames: string[] = [];
  #running: Promise<void> | undefined;

  constructor(options: PosterOptions) {
    this.#options = options;
  }

  send(frame: string): void {
    this.#frames.push(frame);
    // Behind what is sent in the same turn.
    this.#running ??= Promise.resolve()
      .then(() => this.#run())
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Resolves when everything has been posted, or that is no use any more. */
  async flushed(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal, onOver } = this.#options;
    while (this.#frames.length > 0 && !signal.aborted) {
      const body = this.#gathered();
      this.count += 1;
      const reason = await this.#post(body, this.count);
      if (reason === undefined) continue;
      this.#frames.length = 0;
      if (!signal.aborted) onOver(reason);
    }
  }

  #gathered(): string {
    const gathered: string[] = [];
    let bytes = 0;
    for (const frame of this.#frames) {
      bytes += bytesOf(`${frame}\n`);
      if (gathered.length > 0 && bytes > this.maxBytes) break;
      gathered.push(frame);
    }
    this.#frames.splice(0, gathered.length);
    return gathered.join('\n');
  }

  /** Undefined: taken. */
  async #post(body: string, n: number): Promise<string | undefined> {
    const { url, signal, tries = 6, waitMs = 500 } = this.#options;
    let reason = '';
    for (let tried = 0; tried < tries && !signal.aborted; tried += 1) {
      if (tried > 0) await sleep(waitMs * tried, signal).catch(() => {});
      const outcome = await this.#try(`${url}?n=${n}`, body);
      if (outcome.is === 'taken') return undefined;
      reason = outcome.reason;
      if (outcome.is === 'over') break;
    }
    return reason;
  }

  async #try(url: string, body: string): Promise<{ is: Outcome; reason: string }> {
    const { fetch, signal } = this.#options;
    try {
      // As text no browser has to ask first whether it may.
      const headers = { 'content-type': 'text/plain;charset=UTF-8' };
      const { status, ok } = await fetch(url, { method: 'POST', body, headers, signal });
      const is = ok ? 'taken' : status >= 500 || status === 429 ? 'again' : 'over';
      return { is, reason: `a post was answered ${status}` };
    } catch (error) {
      return { is: 'again', reason: String(error) };
    }
  }
}
