import type { Log } from '@evenkeel/runtime';
import type { Load } from '../session/load.js';

/** How often it is logged, ms. */
const everyMs = 10_000;

export interface RefusedFramesOptions {
  load: Pick<Load, 'refused' | 'neverCarried' | 'topicLimits'>;
  access: { readonly forbidden: Readonly<Record<string, number>> };
  log: Pick<Log, 'info'>;
}

/**
 * Says once in ten seconds how many frames were refused and why, if any were. By what is counted anyway, so that a flood of them
 * costs nothing more.
 */
export class RefusedFrames {
  readonly #options: RefusedFramesOptions;
  #before: Readonly<Record<string, number>>;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RefusedFramesOptions) {
    this.#options = options;
    this.#before = this.#counts();
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const counts = this.#counts();
    const since = Object.entries(counts)
      .map(([reason, count]) => [reason, count - (this.#before[reason] ?? 0)] as const)
      .filter(([, count]) => count > 0);
    this.#before = counts;
    if (since.length > 0) this.#options.log.info({ reasons: Object.fromEntries(since) }, 'frames refused');
  }

  #counts(): Readonly<Record<string, number>> {
    const { load, access } = this.#options;
    const forbidden = Object.values(access.forbidden).reduce((sum, count) => sum + count, 0);
    return { ...load.refused, ...load.neverCarried, maxTopics: load.topicLimits, forbidden };
  }
}
